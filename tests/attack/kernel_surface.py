# attack: use what most kernel exploits go through: io_uring, bpf, perf, userfaultfd …
# expect: CONTAINED
# bare: host
import ctypes
import struct

from hostile import FILTERED, call, finish, refused

EINVAL, EFAULT, EBADF, EACCES, ENODEV, ENOENT, ENOTSUP = 22, 14, 9, 13, 19, 2, 95
REACHED = (EINVAL, EFAULT, EBADF, EACCES, ENODEV, ENOENT, ENOTSUP)


def tried(name, *arguments):
    refused(name, FILTERED, call, name, *arguments, reached=REACHED)


tried("io_uring_setup", 1, ctypes.create_string_buffer(120))
# A map of an array, of one element.
tried("bpf", 0, ctypes.create_string_buffer(struct.pack("IIIII", 2, 4, 4, 1, 0), 120), 120)
# A software event, of this process alone.
event = struct.pack("IIQQQQQ", 1, 112, 9, 0, 0, 0, 0x60)
tried("perf_event_open", ctypes.create_string_buffer(event, 112), 0, -1, -1, 0)
tried("userfaultfd", 1)
tried("fanotify_init", 0x200, 0)
tried("ptrace", 0, 0, 0, 0)
tried("kcmp", 0, 0, 0, 0, 0)
# To turn off address space randomisation, and to make all that is readable executable.
for flag in (0x0040000, 0x0400000, 0x0100000, 1 << 32 | 0x0040000):
    tried("personality", flag)
finish()

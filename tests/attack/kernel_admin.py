# attack: administrate the host: reboot, kexec, modules, swap, clock, host name, log, quotas
# expect: CONTAINED
# bare: namespaces
import ctypes
import socket
import struct
import time

from hostile import FILTERED, call, finish, refused

EINVAL, EFAULT, EBADF, ENOENT, ENOEXEC, ENODEV, ENOTBLK = 22, 14, 9, 2, 8, 19, 15
REACHED = (EINVAL, EFAULT, EBADF, ENOENT, ENOEXEC, ENODEV, ENOTBLK)


def tried(name, *arguments):
    refused(name, FILTERED, call, name, *arguments, reached=REACHED)


# Every argument is chosen so that nothing would happen: that the kernel judges it is the breach.
tried("reboot", 0, 0, 0, 0)
tried("kexec_load", 0, 0, 0, 0x7FFFFFF0)
tried("kexec_file_load", -1, -1, 0, 0, 0x7FFFFFF0)
tried("init_module", 0, 0, b"")
tried("finit_module", -1, b"", 0)
tried("delete_module", b"attack-no-such-module", 0x800)
tried("swapon", b"/attack-no-such-file", 0)
tried("acct", b"/attack-no-such-file")
tried("quotactl", 0x800007 << 8, b"/attack-no-such-disk", 0, 0)
tried("clock_settime", 0, struct.pack("qq", int(time.time()), -1))
tried("clock_adjtime", 0, struct.pack("i", 0x4000) + struct.pack("204x"))
tried("adjtimex", struct.pack("i", 0x4000) + struct.pack("204x"))
tried("syslog", 10, 0, 0)
tried("syslog", 3, ctypes.create_string_buffer(16), 16)
name = socket.gethostname().encode()
tried("sethostname", name, len(name))
tried("setdomainname", b"", 1 << 20)
finish()

# attack: reach what processors have besides: segments (CVE-2015-5157), ports, 16-bit code, shadow stacks
# expect: CONTAINED SKIPPED
# bare: host
import ctypes
import errno
import platform
import struct

from hostile import FILTERED, finish, refused, skip

if platform.machine() != "x86_64":
    skip("only x86-64 has these")

CALLS = {"modify_ldt": 154, "ioperm": 173, "iopl": 172, "map_shadow_stack": 453, "set_thread_area": 205}
REACHED = (errno.EINVAL, errno.EFAULT, errno.EBUSY, errno.EOPNOTSUPP, errno.ESRCH)
libc = ctypes.CDLL(None, use_errno=True)


def tried(name, *arguments):
    def raw():
        if libc.syscall(CALLS[name], *arguments) == -1:
            raise OSError(ctypes.get_errno(), name)

    refused(name, FILTERED, raw, reached=REACHED)


segment = ctypes.create_string_buffer(struct.pack("=IIII", 0, 0, 0xFFFFF, 0x51), 16)
tried("modify_ldt", 0, ctypes.create_string_buffer(16), 16)
tried("modify_ldt", 1, segment, 16)
tried("ioperm", 0x80, 1, 0)
tried("iopl", 0)
tried("map_shadow_stack", 0, 0, 0)
tried("set_thread_area", ctypes.create_string_buffer(16))
finish()

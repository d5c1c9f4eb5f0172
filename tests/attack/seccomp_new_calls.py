# attack: use calls that are newer than most filters: xattrs by descriptor, mounts listed, memory sealed
# expect: CONTAINED
# bare: host
import ctypes
import errno

from hostile import FILTERED, finish, refused

# The numbers from 424 on are the same on all architectures. -1 is a descriptor, address and size
# that none of them can do anything with.
NUMBERS = (449, 451, 453, 454, 455, 456, 457, 458, 459, 460, 461, 462, 463, 464, 465, 466, 467, 468, 469, 470)
# Those that no kernel has yet: ENOSYS by the kernel, too.
FUTURE = (471, 480, 500, 511, 600, 1023)
REACHED = (errno.EINVAL, errno.EBADF, errno.EFAULT, errno.E2BIG, errno.EOPNOTSUPP, errno.ENOMEM)
libc = ctypes.CDLL(None, use_errno=True)
libc.syscall.restype = ctypes.c_long


def raw(number):
    minus = ctypes.c_long(-1)
    if libc.syscall(ctypes.c_long(number), minus, minus, minus, minus, minus, minus) == -1:
        raise OSError(ctypes.get_errno(), str(number))


for number in NUMBERS + FUTURE:
    refused(f"call {number}", FILTERED, raw, number, reached=REACHED)
finish()

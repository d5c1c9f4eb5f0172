# attack: pass by the filter with io_uring: rings, a kernel thread that polls (CVE-2021-41073, CVE-2023-2598)
# expect: CONTAINED
# bare: host
import ctypes
import errno
import struct

from hostile import FILTERED, call, finish, refused

# What a ring does is done by the kernel for us: no filter sees the calls.
IORING_SETUP_SQPOLL, IORING_SETUP_R_DISABLED = 1 << 1, 1 << 6
IORING_ENTER_GETEVENTS, IORING_REGISTER_BUFFERS, IORING_REGISTER_PROBE = 1, 0, 8
REACHED = (errno.EBADF, errno.EINVAL, errno.EFAULT, errno.EOPNOTSUPP, errno.ENOMEM)


def ring(flags):
    return ctypes.create_string_buffer(struct.pack("III", 0, 0, flags), 120)


for name, flags in (("plain", 0), ("polled", IORING_SETUP_SQPOLL), ("disabled", IORING_SETUP_R_DISABLED)):
    refused(f"{name} ring", FILTERED, call, "io_uring_setup", 2, ring(flags), reached=REACHED)
# Even without a ring: the code behind these has been the way in, and -1 is none.
refused("enter", FILTERED, call, "io_uring_enter", -1, 1, 0, IORING_ENTER_GETEVENTS, None, 0, reached=REACHED)
for what in (IORING_REGISTER_BUFFERS, IORING_REGISTER_PROBE):
    refused(f"register {what}", FILTERED, call, "io_uring_register", -1, what, None, 0, reached=REACHED)
finish()

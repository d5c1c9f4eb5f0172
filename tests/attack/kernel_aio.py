# attack: have the kernel do things for us later: asynchronous input and output, whose memory it shares
# expect: CONTAINED
# bare: host
import ctypes
import errno

from hostile import FILTERED, call, finish, refused

REACHED = (errno.EINVAL, errno.EFAULT, errno.EAGAIN)

context = ctypes.c_ulong(0)
refused("io_setup", FILTERED, call, "io_setup", 64, context, reached=REACHED)
refused("io_getevents", FILTERED, call, "io_getevents", 0, 0, 1, None, None, reached=REACHED)
finish()

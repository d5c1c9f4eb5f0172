# attack: pipes on which the kernel tells what happens to mounts and keys (watch_queue, CVE-2022-0995)
# expect: CONTAINED
# bare: no, few kernels are built with it
import ctypes
import errno
import fcntl
import os

from hostile import FILTERED, call, finish, refused

O_NOTIFICATION_PIPE = os.O_EXCL
IOC_WATCH_QUEUE_SET_SIZE = 0x5760
# ENOPKG: the kernel was built without it; EINVAL: it is from before them.
NOT_KNOWN = FILTERED + (errno.ENOPKG, errno.EINVAL)


def watch():
    ends = (ctypes.c_int * 2)()
    call("pipe2", ends, O_NOTIFICATION_PIPE)
    try:
        fcntl.ioctl(ends[0], IOC_WATCH_QUEUE_SET_SIZE, 16)
    finally:
        for end in ends:
            os.close(end)


refused("a queue", NOT_KNOWN + (errno.ENOTTY,), watch)
finish()

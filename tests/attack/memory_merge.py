# attack: have the kernel merge pages that are alike in ours and others' memory: the time of a write tells
# expect: CONTAINED
# bare: host
import ctypes
import errno
import mmap

from hostile import FILTERED, call, finish, in_child, refused

MADV_MERGEABLE, PR_SET_MEMORY_MERGE = 12, 67
# EINVAL is also what kernels say that were built without it.
REFUSED = FILTERED + (errno.EINVAL,)

pages = mmap.mmap(-1, 1 << 16)
address = ctypes.addressof(ctypes.c_char.from_buffer(pages))
refused("madvise", REFUSED, in_child, call, "madvise", address, 1 << 16, MADV_MERGEABLE)
refused("prctl", REFUSED, in_child, call, "prctl", PR_SET_MEMORY_MERGE, 1, 0, 0, 0)
finish()

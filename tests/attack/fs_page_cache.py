# attack: see which pages of shared files are in memory, so what others read, and throw them out
# expect: CONTAINED
# bare: host
import ctypes
import errno
import mmap
import os
import sys

from hostile import FILTERED, breach, contained, finish, refused, unclear

RWF_NOWAIT, MADV_MERGEABLE, MADV_COLD, MADV_PAGEOUT = 8, 12, 20, 21
PAGE = mmap.PAGESIZE
libc = ctypes.CDLL(None, use_errno=True)
path = os.path.realpath(sys.executable)
python = os.open(path, os.O_RDONLY)


def checked(result):
    if result < 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))
    return result


def read_if_there():
    buffer = bytearray(PAGE)
    return f"{os.preadv(python, [buffer], 0, RWF_NOWAIT)} bytes"


# EAGAIN says that the page is not there, which is as good an answer.
refused("preadv2(RWF_NOWAIT)", (errno.EOPNOTSUPP,), read_if_there, reached=(errno.EAGAIN,))

library = ctypes.CDLL(None)
address = ctypes.cast(libc.getpid, ctypes.c_void_p).value & -PAGE
seen = ctypes.create_string_buffer(1)
refused(
    "mincore",
    FILTERED,
    lambda: checked(libc.mincore(ctypes.c_void_p(address), ctypes.c_size_t(PAGE), seen)),
    reached=(errno.EINVAL, errno.ENOMEM),
)
refused(
    "cachestat",
    FILTERED,
    lambda: checked(libc.syscall(451, python, ctypes.create_string_buffer(16), ctypes.create_string_buffer(40), 0)),
    reached=(errno.EINVAL, errno.EFAULT),
)


# Only the kernel sees that a pipe has no pages, or that an address lies askew.
def done_by_kernel(what, result, codes):
    code = 0 if result == 0 else result if result > 0 else ctypes.get_errno()
    if code == 0:
        contained(f"{what} does nothing")
    elif code in codes:
        breach(f"{what} reaches what it is called for")
    else:
        unclear(f"{what} {errno.errorcode.get(code)}")


readable, writable = os.pipe()
done_by_kernel("POSIX_FADV_DONTNEED", libc.posix_fadvise(readable, 0, 0, 4), (errno.ESPIPE,))
for name, advice in (("MADV_COLD", MADV_COLD), ("MADV_PAGEOUT", MADV_PAGEOUT)):
    result = libc.madvise(ctypes.c_void_p(address + 1), ctypes.c_size_t(PAGE), advice)
    done_by_kernel(name, result, (errno.EINVAL,))
if libc.posix_fadvise(-1, 0, 0, 4) != errno.EBADF:
    unclear("posix_fadvise is not told that -1 is no descriptor")

# Pages that are alike, merged (KSM): the time that a write takes tells that somebody has the same.
ours = mmap.mmap(-1, PAGE)
refused("MADV_MERGEABLE", (errno.EINVAL,), ours.madvise, MADV_MERGEABLE)
finish()

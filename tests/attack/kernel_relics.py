# attack: reach the corners of the kernel that nobody has used for decades, and nobody looks after
# expect: CONTAINED
# bare: host
import ctypes
import errno
import mmap
import platform

from hostile import FILTERED, call, finish, refused

# Numbers of x86-64; the generic table of other architectures has only the last two.
RELICS = {"uselib": 134, "ustat": 136, "sysfs": 139, "_sysctl": 156, "nfsservctl": 180, "vserver": 236,
          "epoll_ctl_old": 214, "tuxcall": 184, "security": 185}
REACHED = (errno.EINVAL, errno.EFAULT, errno.ENOENT, errno.ENOEXEC, errno.EACCES)
libc = ctypes.CDLL(None, use_errno=True)


def raw(number, *arguments):
    if libc.syscall(number, *arguments) == -1:
        raise OSError(ctypes.get_errno(), str(number))


if platform.machine() == "x86_64":
    for name, number in RELICS.items():
        arguments = (3, 0, 0) if name == "sysfs" else (0, 0, 0)
        refused(name, FILTERED, raw, number, *arguments, reached=REACHED)
page = mmap.mmap(-1, 4096)
address = ctypes.addressof(ctypes.c_char.from_buffer(page))
refused("remap_file_pages", FILTERED, call, "remap_file_pages", address, 4096, 0, 0, 0, reached=REACHED)
refused("lookup_dcookie", FILTERED, call, "lookup_dcookie", 0, address, 4096, reached=REACHED)
finish()

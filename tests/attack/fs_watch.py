# attack: watch other jobs and the host, or hold them up, through files that all share: inotify, dnotify, leases, hints
# expect: CONTAINED
# bare: host
import ctypes
import errno
import fcntl
import os
import signal
import tempfile

from hostile import DENIED, finish, refused

IN_OPEN = 0x20
F_SET_RW_HINT = 1036
# What the kernel answers to a request that it was built without.
UNKNOWN = DENIED + (errno.EINVAL,)

libc = ctypes.CDLL(None, use_errno=True)
signal.signal(signal.SIGIO, signal.SIG_IGN)  # what dnotify tells by, which would end us


def inotify(path):
    descriptor = libc.inotify_init1(0)
    if descriptor < 0 or libc.inotify_add_watch(descriptor, path.encode(), IN_OPEN) < 0:
        raise OSError(ctypes.get_errno(), path)
    return "a watch on who opens what"


def dnotify(path):
    descriptor = os.open(path, os.O_RDONLY)
    fcntl.fcntl(descriptor, fcntl.F_NOTIFY, fcntl.DN_ACCESS)
    return "a signal when somebody reads there"


def lease(path):
    with open(path, "rb") as file:
        fcntl.fcntl(file, fcntl.F_SETLEASE, fcntl.F_RDLCK)
    return "a lease, which delays those who write"


def hint(path):
    """Stays with the file, for all who write it, when we are gone."""
    with open(path, "rb") as file:
        fcntl.fcntl(file, F_SET_RW_HINT, bytes(8))
    return "a hint"


# Bind mounts share their inodes: with them one sees which modules another job imports, and when
# the host's processes use /dev/null.
library = os.path.dirname(os.__file__)
for path in (os.path.realpath("/proc/self/exe"), library, "/", "/dev/null", "/dev/urandom"):
    refused(f"inotify {path}", DENIED, inotify, path)
for path in (library, f"{library}/__pycache__", "/"):
    if os.path.isdir(path):
        refused(f"dnotify {path}", UNKNOWN, dnotify, path)
for path in (os.path.realpath("/proc/self/exe"), os.__file__):
    refused(f"lease {path}", UNKNOWN, lease, path)
    refused(f"hint {path}", UNKNOWN, hint, path)
# Who owns a root file system gets leases on it: so does who owns a file here.
descriptor, own = tempfile.mkstemp()
os.close(descriptor)
refused("lease of our own", UNKNOWN, lease, own)
os.unlink(own)
finish()

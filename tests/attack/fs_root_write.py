# attack: write to the root file system: new files everywhere, changes to those that are there
# expect: CONTAINED
# bare: host
import errno
import mmap
import os

from hostile import ABSENT, READ_ONLY, breach, contained, finish, refused

WRITABLE = ("/work", "/tmp", "/dev/shm", "/proc")
NAME = f".attack-{os.getpid()}"
CREATE = os.O_CREAT | os.O_EXCL | os.O_WRONLY


def undone(make, undo, path, *arguments):
    """Whatever succeeds is undone at once."""
    value = make(*arguments)
    undo(path)
    return value


def map_shared(path):
    with open(path, "rb") as file:
        mmap.mmap(file.fileno(), 1, mmap.MAP_SHARED, mmap.PROT_READ | mmap.PROT_WRITE)


tried = 0
for directory, subdirectories, _ in os.walk("/"):
    subdirectories[:] = [
        name for name in subdirectories if os.path.join(directory, name) not in WRITABLE
    ]
    tried += 1
    path = os.path.join(directory, NAME)
    try:
        undone(os.open, os.unlink, path, path, CREATE)
    except OSError as error:
        if error.errno not in READ_ONLY + ABSENT:
            breach(f"{directory}: {error}")
    else:
        breach(f"a new file in {directory}")
        break
contained(f"no new file in {tried} directories")

for path in (os.path.realpath("/proc/self/exe"), os.__file__, "/etc/passwd", "/etc", "/"):
    facts = os.stat(path)
    new = os.path.join(path if os.path.isdir(path) else os.getcwd(), NAME)
    times = (facts.st_atime_ns, facts.st_mtime_ns)
    refused(f"chmod {path}", READ_ONLY, os.chmod, path, facts.st_mode & 0o7777)
    # EINVAL: its owner has no number in our namespace.
    refused(f"chown {path}", READ_ONLY + (errno.EINVAL,), os.chown, path, facts.st_uid, facts.st_gid)
    refused(f"utime {path}", READ_ONLY, lambda: os.utime(path, ns=times))
    refused(
        f"setxattr {path}",
        READ_ONLY + (errno.EOPNOTSUPP,),
        undone,
        os.setxattr,
        lambda path: os.removexattr(path, "user.attack"),
        path,
        path,
        "user.attack",
        b"",
    )
    if os.path.isdir(path):
        refused(f"mkdir in {path}", READ_ONLY, undone, os.mkdir, os.rmdir, new, new)
        refused(f"symlink in {path}", READ_ONLY, undone, os.symlink, os.unlink, new, "x", new)
        refused(f"O_TMPFILE in {path}", READ_ONLY, os.open, path, os.O_TMPFILE | os.O_WRONLY)
    else:
        refused(f"open {path}", READ_ONLY + (errno.ETXTBSY,), os.open, path, os.O_WRONLY)
        refused(f"mmap {path}", READ_ONLY, map_shared, path)
        refused(
            f"link {path}", READ_ONLY + (errno.EXDEV,), undone, os.link, os.unlink, new, path, new
        )
finish()

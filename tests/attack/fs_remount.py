# attack: change the mounts: make / writable, lift the masks, pivot back, mount something new
# expect: CONTAINED
# bare: namespaces
from hostile import FILTERED, call, finish, refused

MS_REMOUNT, MS_BIND, MS_MOVE, MS_REC, MS_PRIVATE = 32, 4096, 8192, 16384, 1 << 18
MNT_DETACH = 2
OPEN_TREE_CLONE = 1
EINVAL, EBUSY, ENOENT, ENODEV, EBADF = 22, 16, 2, 19, 9
REACHED = (EINVAL, EBUSY, ENOENT, ENODEV, EBADF)


def tried(name, *arguments):
    words = " ".join(part.decode() for part in arguments if isinstance(part, bytes))
    refused(f"{name} {words}", FILTERED, call, name, *arguments, reached=REACHED)


tried("mount", None, b"/", None, MS_REMOUNT | MS_BIND, None)
tried("mount", b"/", b"/tmp", None, MS_BIND | MS_REC, None)
tried("mount", b"tmpfs", b"/tmp", b"tmpfs", 0, None)
tried("mount", b"proc", b"/tmp", b"proc", 0, None)
tried("mount", b"sysfs", b"/tmp", b"sysfs", 0, None)
tried("mount", b"overlay", b"/tmp", b"overlay", 0, b"lowerdir=/,upperdir=/tmp,workdir=/tmp")
tried("mount", b"/proc", b"/tmp", None, MS_MOVE, None)
tried("mount", None, b"/", None, MS_PRIVATE | MS_REC, None)
for masked in (b"/dev/null", b"/dev", b"/tmp", b"/proc/sys"):
    tried("umount2", masked, MNT_DETACH)
tried("pivot_root", b"/proc", b"/proc")
tried("fsopen", b"tmpfs", 0)
tried("fspick", -100, b"/", 0)
tried("fsmount", 1023, 0, 0)
tried("open_tree", -100, b"/", OPEN_TREE_CLONE)
tried("move_mount", 1023, b"", 1023, b"", 0)
tried("mount_setattr", -100, b"/", 0, bytes(32), 32)
finish()

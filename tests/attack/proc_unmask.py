# attack: lift the masks of /proc: unmount them, copy the tree without them, mount over (CVE-2025-31133, -52881)
# expect: CONTAINED
# bare: namespaces
import errno
import os

from hostile import FILTERED, breach, call, contained, finish, refused

AT_FDCWD, MNT_DETACH, UMOUNT_NOFOLLOW, MS_BIND, MS_REMOUNT, OPEN_TREE_CLONE = -100, 2, 8, 4096, 32, 1
REACHED = (errno.EINVAL, errno.ENOENT, errno.EBUSY, errno.ENOTDIR)

for path in ("/proc", "/proc/kcore", "/proc/sys", "/proc/acpi", "/proc/sysrq-trigger", "/proc/keys"):
    target = path.encode()
    refused(f"umount {path}", FILTERED, call, "umount2", target, MNT_DETACH | UMOUNT_NOFOLLOW, reached=REACHED)
    refused(f"open_tree {path}", FILTERED, call, "open_tree", AT_FDCWD, target, OPEN_TREE_CLONE, reached=REACHED)
    refused(f"bind over {path}", FILTERED, call, "mount", b"/proc/self", target, None, MS_BIND, None, reached=REACHED)
    refused(f"writable {path}", FILTERED, call, "mount", None, target, None, MS_REMOUNT | MS_BIND, None,
            reached=REACHED)
# A mask that is not one: a link that was put where /dev/null should have been bound.
for name in ("kcore", "keys", "sysrq-trigger", "timer_list"):
    try:
        if os.path.islink(f"/proc/{name}"):
            breach(f"/proc/{name} is a link to {os.readlink(f'/proc/{name}')}")
    except FileNotFoundError:
        pass
contained("no mask is a link")
finish()

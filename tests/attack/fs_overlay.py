# attack: bring privileges in by an overlay: layers of ours, copied up by the kernel (CVE-2021-3493, CVE-2023-0386)
# expect: CONTAINED
# bare: namespaces
import errno
import os
import tempfile

from hostile import FILTERED, call, finish, in_child, refused

CLONE_NEWUSER, CLONE_NEWNS = 0x10000000, 0x20000
REACHED = (errno.EINVAL, errno.ENODEV, errno.ENOENT, errno.EBUSY)

with tempfile.TemporaryDirectory() as top:
    for name in ("lower", "upper", "work", "merged"):
        os.mkdir(os.path.join(top, name))
    options = f"lowerdir={top}/lower,upperdir={top}/upper,workdir={top}/work,userxattr".encode()
    merged = os.path.join(top, "merged").encode()

    def in_namespaces():
        call("unshare", CLONE_NEWUSER | CLONE_NEWNS)
        call("mount", b"overlay", merged, b"overlay", 0, options)

    arguments = ("mount", b"overlay", merged, b"overlay", 0, options)
    refused("an overlay", FILTERED, in_child, call, *arguments, reached=REACHED)
    refused("one in namespaces", FILTERED, in_child, in_namespaces, reached=REACHED)
    refused("one by fsopen", FILTERED, call, "fsopen", b"overlay", 0, reached=REACHED)
    refused("FUSE", FILTERED, call, "mount", b"fuse", merged, b"fuse", 0, b"fd=3,rootmode=40000,user_id=0,group_id=0",
            reached=REACHED)
    try:
        call("umount2", merged, 2)
    except OSError:
        pass
finish()

# attack: have the host run our program when a cgroup empties: release_agent by new namespaces (CVE-2022-0492)
# expect: CONTAINED
# bare: namespaces
import errno
import os

from hostile import FILTERED, READ_ONLY, breach, call, contained, finish, in_child, refused

CLONE_NEWUSER, CLONE_NEWNS, CLONE_NEWCGROUP, MS_BIND = 0x10000000, 0x20000, 0x02000000, 4096
REACHED = (errno.EINVAL, errno.EBUSY, errno.ENODEV, errno.ENOENT, errno.EROFS)


def mount_rdma():
    call("unshare", CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWCGROUP)
    call("mount", b"none", b"/tmp", b"cgroup", 0, b"rdma")


refused("new namespaces, then mount", FILTERED, in_child, mount_rdma, reached=REACHED)
refused("bind of /sys/fs/cgroup", FILTERED, in_child, call, "mount", b"/sys/fs/cgroup", b"/tmp", None, MS_BIND, None,
        reached=REACHED)
for hierarchy in ("rdma", "memory", "pids", "misc", "systemd"):
    for file in ("release_agent", "notify_on_release"):
        path = f"/sys/fs/cgroup/{hierarchy}/{file}"
        if os.path.exists(path):
            refused(path, READ_ONLY, open, path, "r+b", 0)
            breach(f"{path} is there")
contained("no release_agent to be seen")
finish()

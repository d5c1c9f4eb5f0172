# attack: leave or lift the cgroup: mount the controllers, write release_agent, move our process
# expect: CONTAINED
# bare: namespaces
import glob

from hostile import FILTERED, READ_ONLY, breach, call, contained, finish, refused

EBUSY, EINVAL, ENODEV, ENOENT = 16, 22, 19, 2

for kind, options in (
    (b"cgroup2", None),
    (b"cgroup", b"none,name=attack"),
    (b"cgroup", b"rdma"),
    (b"cgroup", b"memory"),
):
    refused(
        f"mount {kind.decode()} {options}",
        FILTERED,
        call,
        "mount",
        b"none",
        b"/tmp",
        kind,
        0,
        options,
        reached=(EBUSY, EINVAL, ENODEV, ENOENT),
    )
found = 0
for file in ("cgroup.procs", "tasks", "release_agent", "memory.max", "memory.limit_in_bytes"):
    for place in ("/sys/fs/cgroup", "/sys/fs/cgroup/*", "/tmp", "/tmp/*"):
        # Opened, never written to.
        for path in glob.glob(f"{place}/{file}")[:2]:
            found += 1
            refused(path, READ_ONLY, open, path, "r+b", 0)
if found:
    breach(f"{found} files of cgroups are to be seen")
contained("no cgroup file to be seen")
finish()

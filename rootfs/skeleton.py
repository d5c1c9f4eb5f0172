"""What is alike in every root file system: owners and modes, the mount points, /dev, and the files of /etc that name
users and hosts."""

import os
import stat

from nofollow import DIRECTORY, open_below, remove, walk, write_file

# Mount points of jobs, and whether the directory must exist. All are empty except for dev.
PLACES = (("proc", True), ("dev", True), ("tmp", True), ("work", True), ("sys", False))

# /dev is not covered: jobs have the host's nodes bound over the files, and shm over the directory.
DEV_NODES = ("null", "zero", "full", "random", "urandom")
DEV_LINKS = {"fd": "/proc/self/fd", "stdin": "/proc/self/fd/0", "stdout": "/proc/self/fd/1",
             "stderr": "/proc/self/fd/2"}
DEV_ENTRIES = sorted((*DEV_NODES, *DEV_LINKS, "shm"))

FILES = {
    "passwd": "root:x:0:0:root:/root:/usr/sbin/nologin\n"
              "sandbox:x:1000:1000:sandbox:/work:/bin/sh\n"
              "nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n",
    "group": "root:x:0:\nsandbox:x:1000:\nnogroup:x:65534:\n",
    "hostname": "sandbox\n",
    "hosts": "127.0.0.1 localhost sandbox\n::1 localhost\n",
    "resolv.conf": "",
    "nsswitch.conf": "".join(f"{name}: files\n" for name in (
        "passwd", "group", "shadow", "hosts", "networks", "protocols", "services", "ethers",
        "rpc")),
}

# Passwords, and copies of the above.
SECRETS = ("shadow", "gshadow", "shadow-", "gshadow-", "passwd-", "group-", "subuid", "subgid")


def plain_mode(info):
    """Readable by all, writable by the owner alone, nothing set-id, nothing sticky."""
    executable = stat.S_ISDIR(info.st_mode) or info.st_mode & 0o111
    return 0o755 if executable else 0o644


def drop_attributes(handle):
    """Removes extended attributes: file capabilities, access lists, a builder's notes."""
    for name in os.listxattr(handle):
        try:
            os.removexattr(handle, name)
        except OSError:
            if name == "security.capability":
                raise


def normalise(fd, owner):
    """Leaves directories, files and links with plain modes, all `owner`'s; deletes the rest."""
    as_root = os.geteuid() == 0
    for directory, name, _, info in walk(fd):
        kind = stat.S_IFMT(info.st_mode)
        if kind not in (stat.S_IFDIR, stat.S_IFREG, stat.S_IFLNK):
            os.unlink(name, dir_fd=directory)
            continue
        if as_root and (info.st_uid, info.st_gid) != (owner, owner):
            os.chown(name, owner, owner, dir_fd=directory, follow_symlinks=False)
        if kind == stat.S_IFLNK:
            continue
        handle = os.open(name, os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=directory)
        try:
            itself = f"/proc/self/fd/{handle}"  # chmod can't take an O_PATH descriptor
            if stat.S_IMODE(os.fstat(handle).st_mode) != plain_mode(info):
                os.chmod(itself, plain_mode(info))
            drop_attributes(itself)
        finally:
            os.close(handle)
    if as_root:
        os.chown(fd, owner, owner)
    os.chmod(fd, 0o755)


def make_places(fd):
    for name, wanted in PLACES:
        remove(fd, name)
        if wanted:
            os.mkdir(name, 0o755, dir_fd=fd)
    dev = os.open("dev", DIRECTORY, dir_fd=fd)
    try:
        os.mkdir("shm", 0o755, dir_fd=dev)
        for name in DEV_NODES:
            write_file(dev, name, b"")
        for name, target in DEV_LINKS.items():
            os.symlink(target, name, dir_fd=dev)
    finally:
        os.close(dev)


def write_files(fd):
    etc = open_below(fd, "etc", create=True)
    try:
        for name in SECRETS:
            remove(etc, name)
        for name, text in FILES.items():
            write_file(etc, name, text.encode())
    finally:
        os.close(etc)

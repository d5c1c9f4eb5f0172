# attack: become root in new namespaces: unshare, clone, clone3, setns, each namespace, odd flags
# expect: CONTAINED
# bare: host
import ctypes
import os
import signal
import struct

from hostile import ABSENT, FILTERED, call, finish, in_child, refused

NAMESPACES = {
    "user": 0x10000000,
    "mount": 0x20000,
    "pid": 0x20000000,
    "net": 0x40000000,
    "uts": 0x4000000,
    "ipc": 0x8000000,
    "cgroup": 0x2000000,
    "time": 0x80,
}
CLONE_FS, CLONE_FILES = 0x200, 0x400
EINVAL, EUSERS, ENOSPC = 22, 87, 28
REACHED = (EINVAL, EUSERS, ENOSPC)


def clone(flags):
    pid = call("clone", flags | signal.SIGCHLD, 0, 0, 0, 0)
    if pid == 0:
        os._exit(0)
    os.waitpid(pid, 0)


def clone3(flags):
    arguments = struct.pack("QQQQQQQQQQQ", flags, 0, 0, 0, signal.SIGCHLD, 0, 0, 0, 0, 0, 0)
    pid = call("clone3", ctypes.create_string_buffer(arguments, len(arguments)), len(arguments))
    if pid == 0:
        os._exit(0)
    os.waitpid(pid, 0)


for name, flag in NAMESPACES.items():
    for bits in (0, 1 << 32, 1 << 63):
        where = f"{name}{' with high bits' if bits else ''}"
        arguments = ("unshare", flag | bits)
        refused(f"unshare {where}", FILTERED, in_child, call, *arguments, reached=REACHED)
        if name != "time":  # clone reads 0x80 as a part of the signal's number
            refused(f"clone {where}", FILTERED, clone, flag | bits, reached=REACHED)
    refused(f"clone3 {name}", FILTERED, clone3, flag, reached=REACHED)
    refused(
        f"unshare user and {name}",
        FILTERED,
        in_child,
        call,
        "unshare",
        NAMESPACES["user"] | flag | CLONE_FS | CLONE_FILES,
        reached=REACHED,
    )
for name in ("user", "mnt", "pid", "net", "uts", "ipc", "cgroup", "time"):
    refused(f"setns to pid 1's {name}", ABSENT, os.open, f"/proc/1/ns/{name}", os.O_RDONLY)
    try:
        own = os.open(f"/proc/self/ns/{name}", os.O_RDONLY)
    except FileNotFoundError:
        continue
    refused(f"setns {name}", FILTERED, in_child, call, "setns", own, 0, reached=REACHED)
    os.close(own)
finish()

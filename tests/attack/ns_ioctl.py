# attack: climb from a namespace to its parent and its owner, by ioctl on what /proc/self/ns opens
# expect: CONTAINED
# bare: host
import ctypes
import errno
import fcntl
import os

from hostile import ABSENT, FILTERED, finish, refused

NS_GET_USERNS, NS_GET_PARENT, NS_GET_OWNER_UID, NS_GET_MNTNS_ID = 0xB701, 0xB702, 0xB704, 0x8008B705
NS_MNT_GET_PREV, NS_GET_PID_FROM_PIDNS = 0x8010B70C, 0x8004B706
REFUSED = FILTERED + (errno.ENOTTY, errno.EINVAL)


def answer(path, request):
    descriptor = os.open(path, os.O_RDONLY)
    try:
        room = ctypes.create_string_buffer(64)
        return fcntl.ioctl(descriptor, request, room if request in (NS_GET_OWNER_UID, NS_GET_MNTNS_ID) else 0)
    finally:
        os.close(descriptor)


for name in ("user", "pid", "net", "mnt", "uts", "ipc", "cgroup"):
    for what, request in (("owner's namespace", NS_GET_USERNS), ("parent", NS_GET_PARENT)):
        refused(f"{name}: {what}", REFUSED, answer, f"/proc/self/ns/{name}", request)
refused("user: owner's uid", REFUSED, answer, "/proc/self/ns/user", NS_GET_OWNER_UID)
refused("mnt: number", REFUSED, answer, "/proc/self/ns/mnt", NS_GET_MNTNS_ID)
refused("mnt: the one before", REFUSED, answer, "/proc/self/ns/mnt", NS_MNT_GET_PREV)
refused("pid: number outside", REFUSED, answer, "/proc/self/ns/pid", NS_GET_PID_FROM_PIDNS)
for name in ("pid_for_children", "time_for_children"):
    refused(name, REFUSED + ABSENT, answer, f"/proc/self/ns/{name}", NS_GET_USERNS)
finish()

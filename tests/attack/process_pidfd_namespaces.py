# attack: take the namespaces, and more that they tell, from handles of processes (ioctl on a pidfd)
# expect: CONTAINED
# bare: host
import ctypes
import errno
import fcntl
import os
import struct

from hostile import CANARY_PID, FILTERED, call, contained, finish, refused

KINDS = {"cgroup": 1, "ipc": 2, "mount": 3, "network": 4, "pid": 5, "time": 7, "user": 9, "uts": 10}
PIDFD_GET_INFO = 0xC040FF0B
REFUSED = FILTERED + (errno.ENOTTY,)
REACHED = (errno.ESRCH, errno.EACCES, errno.EINVAL)

for pid in {1, os.getppid(), os.getpid(), CANARY_PID} - {0}:
    try:
        handle = call("pidfd_open", pid, 0)
    except OSError as error:
        contained(f"pidfd of {pid}: {errno.errorcode[error.errno]}")
        continue
    for name, number in KINDS.items():
        refused(f"{name} of {pid}", REFUSED, fcntl.ioctl, handle, 0xFF00 | number, 0, reached=REACHED)
    room = ctypes.create_string_buffer(struct.pack("Q", 0xFF), 64)
    refused(f"ids and cgroup of {pid}", REFUSED, fcntl.ioctl, handle, PIDFD_GET_INFO, room, reached=REACHED)
finish()

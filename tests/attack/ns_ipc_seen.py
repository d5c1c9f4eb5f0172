# attack: find the host's System V objects by their numbers and keys: count them, read them, delete them
# expect: CONTAINED
# host: shm
# bare: host
import ctypes
import errno

from hostile import ABSENT, CANARY_SHM, FILTERED, breach, call, contained, finish, refused

SHM_INFO, SHM_STAT, MSG_INFO, SEM_INFO = 14, 13, 12, 19
NONE = FILTERED + (errno.EINVAL, errno.ENOENT)

for name, call_name, arguments in (
    ("shared memory", "shmctl", (0, SHM_INFO)),
    ("queues", "msgctl", (0, MSG_INFO)),
    ("semaphores", "semctl", (0, 0, SEM_INFO)),
):
    room = (ctypes.c_int * 64)()
    try:
        most = call(call_name, *arguments, room)
    except OSError as error:
        if error.errno in FILTERED:
            contained(f"{name} {error.strerror}")
            continue
        raise
    # used_ids, semusz and msgpool come first, or fifth, in structures that all begin as shm_info does.
    used = room[0] if name != "semaphores" else room[7]
    if used or most > 0:
        breach(f"{used} of {name} are to be seen")
    contained(f"no {name}")
for number in range(64):
    refused("a segment", NONE, call, "shmctl", number, SHM_STAT, (ctypes.c_char * 128)())
if CANARY_SHM:
    refused("the host's segment", NONE, call, "shmget", CANARY_SHM, 0, 0)
try:
    with open("/proc/sysvipc/shm") as file:
        segments = file.read().splitlines()[1:]
    if segments:
        breach(f"/proc/sysvipc/shm has {len(segments)} segments")
except OSError as error:
    if error.errno not in ABSENT:
        raise
    contained(f"/proc/sysvipc {error.strerror}")
finish()

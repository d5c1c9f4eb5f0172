# attack: keep memory in System V shared memory, where it outlives its process; and find the host's
# expect: memory CONTAINED
# limits: --memory 64M --timeout 60
# host: shm
# bare: host
import ctypes

from hostile import CANARY_SHM, FILTERED, armed, breach, call, contained, finish, refused

IPC_RMID, IPC_CREAT = 0, 0o1000
MIB = 1 << 20
ENOENT = (2,)

if CANARY_SHM:
    if refused("the host's segment", FILTERED + ENOENT, call, "shmget", CANARY_SHM, 0, 0o600) is not None:
        finish()  # before a limit strikes, behind which this would not be seen
refused("the host's queue", FILTERED + ENOENT, call, "mq_open", b"attack", 2, 0, 0)

libc = ctypes.CDLL(None, use_errno=True)
libc.shmat.restype = ctypes.c_void_p
armed("256 MiB are next")
for _ in range(32):
    try:
        segment = call("shmget", 0, 8 * MIB, IPC_CREAT | 0o600)
    except OSError as error:
        if error.errno not in FILTERED:
            raise
        contained("no shared memory at all")
        finish()
    address = libc.shmat(segment, None, 0)
    libc.shmctl(segment, IPC_RMID, None)
    ctypes.memset(address, 1, 8 * MIB)
breach("holds 256 MiB of 64")
finish()

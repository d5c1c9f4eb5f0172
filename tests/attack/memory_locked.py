# attack: lock memory, so that the host can't put it out to disk: calls, mappings, shared memory
# expect: CONTAINED
# bare: host
import ctypes
import errno
import mmap

from hostile import FILTERED, call, finish, in_child, refused

MCL_CURRENT, MCL_FUTURE, MCL_ONFAULT, MLOCK_ONFAULT, MAP_LOCKED, SHM_LOCK = 1, 2, 4, 1, 0x2000, 11
IPC_PRIVATE, IPC_CREAT, IPC_RMID = 0, 0o1000, 0
REFUSED = FILTERED + (errno.ENOMEM, errno.EAGAIN)
SIZE = 1 << 20

page = mmap.mmap(-1, SIZE)
address = ctypes.addressof(ctypes.c_char.from_buffer(page))


def mapped():
    mmap.mmap(-1, SIZE, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | MAP_LOCKED).close()


refused("mlock", REFUSED, in_child, call, "mlock", address, SIZE)
refused("mlock2", REFUSED, in_child, call, "mlock2", address, SIZE, MLOCK_ONFAULT)
for name, flags in (("all there is", MCL_CURRENT), ("all to come", MCL_FUTURE), ("on fault", MCL_FUTURE | MCL_ONFAULT)):
    refused(f"mlockall: {name}", REFUSED, in_child, call, "mlockall", flags)
refused("MAP_LOCKED", REFUSED, in_child, mapped)
try:
    segment = call("shmget", IPC_PRIVATE, SIZE, IPC_CREAT | 0o600)
except OSError:
    pass
else:
    refused("SHM_LOCK", REFUSED, call, "shmctl", segment, SHM_LOCK, None)
    call("shmctl", segment, IPC_RMID, None)
finish()

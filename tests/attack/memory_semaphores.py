# attack: hide memory in System V semaphores, and in what undoes them (CVE-2021-3759: they were not counted)
# expect: memory CONTAINED
# limits: --memory 32M --timeout 60
# bare: host
import errno

from hostile import FILTERED, armed, breach, call, contained, finish

IPC_PRIVATE, IPC_CREAT, IPC_RMID = 0, 0o1000, 0
LIMIT, BOUND, MIB, IN_A_SET, EACH = 32, 80, 1 << 20, 32_000, 64

armed(f"up to {BOUND} MiB of semaphores")
sets, held = [], 0
try:
    while held < BOUND * MIB:
        sets.append(call("semget", IPC_PRIVATE, IN_A_SET, IPC_CREAT | 0o600))
        held += IN_A_SET * EACH
    breach(f"{len(sets)} sets of semaphores hold {held // MIB} MiB, of {LIMIT}")
except OSError as error:
    if error.errno not in FILTERED + (errno.ENOMEM, errno.ENOSPC, errno.EINVAL):
        raise
    if held > LIMIT * MIB:
        breach(f"{len(sets)} sets of semaphores hold {held // MIB} MiB, of {LIMIT}")
    contained(f"{error.strerror} after {held // MIB} MiB")
for identity in sets:
    call("semctl", identity, 0, IPC_RMID, 0)
finish()

# attack: hide memory in the kernel: System V message queues, which outlive every process
# expect: memory CONTAINED
# limits: --memory 48M --timeout 60
# bare: host
import ctypes

from hostile import FILTERED, armed, breach, contained, finish, unclear

IPC_CREAT, IPC_NOWAIT, IPC_RMID = 0o1000, 0o4000, 0
LIMIT, BOUND, MIB = 48, 96, 1 << 20

libc = ctypes.CDLL(None, use_errno=True)
message = ctypes.create_string_buffer(b"\1" + bytes(7 + 8184), 8192)
armed(f"{BOUND} MiB of messages are next")
queues, held, code = [], 0, 0
while held < BOUND * MIB and not code:
    queue = libc.msgget(0, IPC_CREAT | 0o600)
    if queue < 0:
        code = ctypes.get_errno()
        break
    queues.append(queue)
    # As much as one queue takes (kernel.msgmnb).
    while libc.msgsnd(queue, message, 8184, IPC_NOWAIT) == 0:
        held += 8184
for queue in queues:
    libc.msgctl(queue, IPC_RMID, None)
if held > LIMIT * MIB:
    breach(f"{len(queues)} queues hold {held >> 20} MiB, of {LIMIT}")
elif code in FILTERED or code in (12, 28):  # ENOMEM, ENOSPC
    contained(f"errno {code} with {held >> 20} MiB in {len(queues)} queues")
else:
    unclear(f"errno {code} with {held >> 20} MiB")
finish()

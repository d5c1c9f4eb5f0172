# attack: find processes of the host by their numbers, signal and stop them
# expect: CONTAINED
# host: process
# bare: host
import os
import signal

from hostile import CANARY_PID, breach, contained, finish, refused

ESRCH = (3,)

if CANARY_PID:
    refused("kill", ESRCH, os.kill, CANARY_PID, signal.SIGSTOP)
    refused("pidfd_open", ESRCH, os.pidfd_open, CANARY_PID)
    refused("getpgid", ESRCH, os.getpgid, CANARY_PID)
    refused("getpriority", ESRCH, os.getpriority, os.PRIO_PROCESS, CANARY_PID)
    refused("sched_getaffinity", ESRCH, os.sched_getaffinity, CANARY_PID)

alive = []
for pid in range(1, 1 << 16):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        continue
    except PermissionError:
        pass
    alive.append(pid)
# Pid 1 and this process; with a threaded runner perhaps one more.
if len(alive) > 3:
    breach(f"{len(alive)} processes are to be reached: {alive[:8]}")
contained(f"of 65535 numbers only {alive} exist")
finish()

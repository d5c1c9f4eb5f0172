# attack: have the kernel send signals for our pipes (O_ASYNC, F_SETOWN, F_SETSIG) to processes that are not ours
# expect: CONTAINED
# bare: no, only a sandbox has a process 1 that must outlive us, and a reader
import contextlib
import fcntl
import os
import signal
import struct

from hostile import CANARY_PID, breach, contained, finish

F_SETOWN_EX, F_SETSIG = 15, 10
F_OWNER_PID, F_OWNER_PGRP = 1, 2

# Ours to take, so that what goes astray does not end the proof.
for number in (signal.SIGIO, signal.SIGUSR1, signal.SIGTERM):
    signal.signal(number, signal.SIG_IGN)
ends = [0, 1, 2]
for descriptor in range(3):
    with contextlib.suppress(OSError):
        ends.append(os.open(f"/proc/self/fd/{descriptor}", os.O_RDWR | os.O_NONBLOCK))
asked = 0
for end in ends:
    flags = fcntl.fcntl(end, fcntl.F_GETFL)
    for number in (signal.SIGKILL, signal.SIGSTOP, signal.SIGTERM, 0):
        for kind, owner in ((F_OWNER_PID, 1), (F_OWNER_PGRP, 1), (F_OWNER_PID, CANARY_PID or 1),
                            (F_OWNER_PID, os.getppid() or 1)):
            with contextlib.suppress(OSError):
                fcntl.fcntl(end, F_SETSIG, int(number))
                fcntl.fcntl(end, F_SETOWN_EX, struct.pack("ii", kind, owner))
                fcntl.fcntl(end, fcntl.F_SETFL, flags | os.O_ASYNC)
                # Each reading of it by the supervisor is an event, in the supervisor's name.
                if end in (1, 2):
                    os.write(end, b"an event\n")
                asked += 1
            fcntl.fcntl(end, fcntl.F_SETFL, flags)
if not asked:
    contained("not one could be asked for")
try:
    os.kill(1, 0)
except ProcessLookupError:
    breach("process 1 is gone")
except PermissionError:
    pass
contained(f"{asked} requests for signals; process 1 and all that is not ours live")
finish()

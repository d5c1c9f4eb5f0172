# attack: outlive the job as a daemon: two forks, setsid, no parent-death signal, a subreaper
# expect: CONTAINED
# host: leftovers
# bare: host
import os
import signal
import time

from hostile import PATIENCE, call, contained, finish

PR_SET_PDEATHSIG, PR_SET_CHILD_SUBREAPER, PR_SET_NAME = 1, 36, 15
CLONE_PARENT = 0x8000

readable, writable = os.pipe()


def stay(name):
    """Ignores everything, keeps stdout open; the test looks for it by its environment."""
    for number in range(1, signal.NSIG):
        if number not in (signal.SIGKILL, signal.SIGSTOP, 32, 33):
            signal.signal(number, signal.SIG_IGN)
    call("prctl", PR_SET_PDEATHSIG, 0, 0, 0, 0)
    call("prctl", PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    call("prctl", PR_SET_NAME, name, 0, 0, 0)
    os.write(writable, b"x")
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        time.sleep(0.1)
    # Written only when nobody has killed us: a supervisor that waits for the end of stdout sees it.
    os.write(1, b"BREACH: a daemon lives on\n")
    os._exit(0)


if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        stay(b"double fork")
    os._exit(0)
if os.fork() == 0:
    stay(b"single fork")
# A brother instead of a child: pid 1 becomes its parent at once.
if call("clone", CLONE_PARENT | signal.SIGCHLD, 0, 0, 0, 0) == 0:
    stay(b"brother")
for _ in range(3):
    os.read(readable, 1)
contained("three daemons stay behind; none may live after the verdict")
finish()

# attack: use up what the kernel counts for the host's users: queued signals, timers, message queues
# expect: CONTAINED
# bare: host
import ctypes
import errno
import os
import signal

from hostile import FILTERED, breach, call, contained, finish, refused, unclear

MOST, BOUND = 64, 1000
CLOCK_MONOTONIC = 1
libc = ctypes.CDLL(None, use_errno=True)


def count(what, function):
    """How many there are to be had, of at most MOST."""
    held = 0
    while held < BOUND and function() == 0:
        held += 1
    code = ctypes.get_errno()
    if held > MOST:
        breach(f"{held} {what}")
    elif code == errno.EAGAIN:
        contained(f"{held} {what}")
    else:
        unclear(f"{held} {what}, then {errno.errorcode.get(code)}")


signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGRTMIN + 1])
count("queued signals", lambda: libc.sigqueue(os.getpid(), signal.SIGRTMIN + 1, None))
signal.signal(signal.SIGRTMIN + 1, signal.SIG_IGN)  # lets go of them
timer = ctypes.c_void_p()
count("timers", lambda: libc.timer_create(CLOCK_MONOTONIC, None, ctypes.byref(timer)))


# O_CREAT | O_RDWR; its messages would be charged to the host's root.
def queue():
    name = b"/attack-%d" % os.getpid()
    descriptor = call("mq_open", name[1:], 0o102, 0o600, None)
    libc.mq_unlink(name)
    return f"a message queue, descriptor {descriptor}"


refused("mq_open", FILTERED, queue, reached=(errno.EMFILE, errno.ENOSPC))
finish()

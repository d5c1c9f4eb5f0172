# attack: fork as fast as possible, children too, each in a session of its own
# expect: CONTAINED
# limits: --pids 32 --timeout 60
# bare: host
import errno
import os
import signal

from hostile import breach, contained, finish, unclear

LIMIT, BOUND = 32, 160

# Every process that is born leaves a byte here; the bound keeps a failed sandbox's host alive.
readable, writable = os.pipe()
refusals = set()
born = 1
children = []
while born < BOUND:
    try:
        child = os.fork()
    except OSError as error:
        refusals.add(error.errno)
        break
    if child == 0:
        try:
            os.setsid()
            if os.fork() == 0:
                os.write(writable, b"x")
                signal.pause()
        except OSError:
            pass
        os.write(writable, b"x")
        signal.pause()
    children.append(child)
    # Two more, or one when the grandchild was refused.
    born += len(os.read(readable, 1))
os.set_blocking(readable, False)
try:
    born += len(os.read(readable, 4096))
except BlockingIOError:
    pass
if born > LIMIT:
    breach(f"{born} processes alive at once")
elif refusals == {errno.EAGAIN}:
    contained(f"EAGAIN after {born} processes")
else:
    unclear(f"{refusals} after {born} processes")
if born >= BOUND:
    for child in children:
        os.kill(child, signal.SIGKILL)
        os.waitid(os.P_PID, child, os.WEXITED | os.WNOWAIT)  # now it makes no group any more
        try:
            os.killpg(child, signal.SIGKILL)
        except ProcessLookupError:
            pass
finish()

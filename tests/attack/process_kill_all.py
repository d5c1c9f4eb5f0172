# attack: kill -9 -1, then every signal to pid 1: nothing but our own children may mind
# expect: CONTAINED
# host: process
# bare: host
import os
import signal
import time

from hostile import CANARY_PID, breach, contained, finish, refused

# Where other processes are in reach, nothing is sent: that they are is the breach.
alive = 0
for pid in range(1, 1 << 15):
    try:
        os.kill(pid, 0)
        alive += 1
    except ProcessLookupError:
        pass
    except PermissionError:
        alive += 1
if alive > 8:
    breach(f"{alive} processes in reach (nothing sent)")
    finish()
if CANARY_PID:
    refused("kill the canary", (3,), os.kill, CANARY_PID, 0)

child = os.fork()
if child == 0:
    time.sleep(600)
    os._exit(1)
try:
    os.kill(-1, signal.SIGKILL)
    contained("kill -9 -1 was sent")
except ProcessLookupError:
    breach("kill -9 -1 found not even our child")
except PermissionError:
    contained("kill -9 -1 EPERM")
    os.kill(child, signal.SIGKILL)
_, status = os.waitpid(child, 0)
if os.WTERMSIG(status) != signal.SIGKILL:
    breach("the child did not die")

for number in range(1, signal.NSIG):
    try:
        os.kill(1, number)
    except PermissionError:
        pass
    try:
        os.kill(os.getppid(), number)
    except PermissionError:
        pass
time.sleep(0.2)
if os.getppid() != 1:
    breach(f"our parent is now {os.getppid()}")
try:
    state = open("/proc/1/stat").read().rsplit(")", 1)[1].split()[0]
    if state in "TtZX":
        breach(f"pid 1 is in state {state}")
    contained(f"pid 1 lives in state {state}")
except OSError:
    contained("pid 1 lives, hidden")

# A fork shows that pid 1 still does what it is there for: a dead one makes fork fail with ENOMEM.
child = os.fork()
if child == 0:
    os._exit(0)
os.waitpid(child, 0)
finish()

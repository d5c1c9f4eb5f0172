# attack: falsify our end: a brother (CLONE_PARENT) exits with 0 as pid 1's child while we fail
# expect: exit
# bare: no, only a sandbox has a pid 1 that it could fool
import os
import signal
import sys
import time

from hostile import armed, call

CLONE_PARENT = 0x8000

for status in (0, 124, 137):
    pid = call("clone", CLONE_PARENT | signal.SIGCHLD, 0, 0, 0, 0)
    if pid == 0:
        os._exit(status)
    # It is reaped by pid 1, not by us: gone when its number is free.
    while True:
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            break
        time.sleep(0.01)
armed("three brothers have ended; the verdict must be ours, exit status 7")
sys.exit(7)

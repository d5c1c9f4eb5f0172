# attack: wait uninterruptibly: a parent in vfork (state D) takes no signal but SIGKILL
# expect: timeout
# limits: --timeout 1
# bare: host
import os
import signal

from hostile import armed, breach, call, finish, outwait

CLONE_VFORK = 0x4000

armed("in state D until the child ends")
if call("clone", CLONE_VFORK | signal.SIGCHLD, 0, 0, 0, 0) == 0:
    outwait()
    os._exit(0)
breach("past the wall time")
finish()

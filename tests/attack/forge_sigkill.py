# attack: pass for out of memory, or for killed at the time limit, by SIGKILL to ourselves
# expect: signal
# bare: no, only a sandbox has a verdict to forge
import os
import signal

from hostile import armed

armed("our own SIGKILL is neither memory nor time")
os.kill(os.getpid(), signal.SIGKILL)

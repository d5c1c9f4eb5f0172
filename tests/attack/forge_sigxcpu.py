# attack: pass for out of CPU time, by the signals that the kernel sends then
# expect: signal
# bare: no, only a sandbox has a verdict to forge
import os
import signal

from hostile import armed

signal.signal(signal.SIGXCPU, signal.SIG_DFL)
armed("our own SIGXCPU is no CPU time-out")
os.kill(os.getpid(), signal.SIGXCPU)

# SIGKILL that a script sends to itself.
# lines: yes
import os
import signal

print("one")
os.kill(os.getpid(), signal.SIGKILL)

# SIGTERM that a script sends to itself, without a handler.
# lines: yes
# also: warm
import os
import signal

print("one")
os.kill(os.getpid(), signal.SIGTERM)

# SIGINT that a script sends to itself ends python by SIGINT, with a traceback.
# lines: yes
import os
import signal

print("before")
os.kill(os.getpid(), signal.SIGINT)
for _ in range(10**9):
    pass

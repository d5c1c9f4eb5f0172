# SIGTERM to the whole process group, a child included.
# lines: yes
import os
import signal
import time

print("one")
ready, told = os.pipe()
if os.fork() == 0:
    os.close(ready)
    os.write(told, b"x")
    time.sleep(100)
os.read(ready, 1)
os.killpg(0, signal.SIGTERM)
time.sleep(100)

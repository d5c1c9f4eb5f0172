# A fork bomb: every process forks again and again.
import os
import time

first = os.getpid()
while True:
    try:
        os.fork()
    except OSError as error:
        if os.getpid() == first:
            print("No more processes:", error)
            break
        time.sleep(0.1)  # and try again

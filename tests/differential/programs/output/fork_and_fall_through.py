# A child by os.fork that runs to the end of the script, as its parent does.
import os

pid = os.fork()
if pid:
    os.waitpid(pid, 0)
print("child" if pid == 0 else "parent")

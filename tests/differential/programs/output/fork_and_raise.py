# A child by os.fork that ends by an exception: its traceback, and its parent's exit status.
import os

pid = os.fork()
if pid == 0:
    raise ValueError("child")
print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))

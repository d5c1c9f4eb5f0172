# A child by os.fork that prints and leaves by os._exit after a flush.
import os
import sys

sys.stdout.flush()
pid = os.fork()
if pid == 0:
    print("child", flush=True)
    os._exit(3)
_, status = os.waitpid(pid, 0)
print("child's status", os.waitstatus_to_exitcode(status))

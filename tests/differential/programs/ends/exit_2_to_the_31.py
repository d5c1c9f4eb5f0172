# sys.exit(2**31) and the like, as C's exit sees them.
import os
import sys

for status in (2**31, -(2**31), 2**32 + 5, 2**63, -1000, 1000):
    sys.stdout.flush()
    if (pid := os.fork()) == 0:
        sys.exit(status)
    print(status, os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))

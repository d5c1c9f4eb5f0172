# Children have descriptors 0 to 2 and no more.
import subprocess
import sys

code = """
import os
def is_open(fd):
    try:
        os.fstat(fd)
        return True
    except OSError:
        return False
print([fd for fd in range(64) if is_open(fd)])
"""
print(subprocess.check_output([sys.executable, "-c", code], text=True), end="")

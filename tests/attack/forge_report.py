# attack: report our own end to the supervisor, in process 1's words, on every descriptor there is
# expect: exit
# bare: no, only a sandbox has a supervisor that is told
import os
import struct

from hostile import armed

REPORT_EXITED = 4
report = struct.pack("iii?3xq", REPORT_EXITED, 0, 0, True, 0)
written = 0
paths = [f"/proc/{pid}/fd/{number}" for pid in (1, os.getppid()) for number in range(32)]
for number in range(3, 1024):
    try:
        written += os.write(number, report) > 0
    except OSError:
        continue
for path in paths:
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_NONBLOCK)
        written += os.write(descriptor, report) > 0
    except OSError:
        continue
armed(f"{written} forged reports are out; the verdict must be our exit status, 7")
os._exit(7)

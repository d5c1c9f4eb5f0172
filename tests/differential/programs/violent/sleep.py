# Lines that were printed before a sleep that is too long are there when time is up.
# lines: yes
# killed: timeout
# limits: wall_time_ms=2000
import sys
import time

print("one")
print("to stderr", file=sys.stderr)
print("two")
open("reached", "w").close()
time.sleep(1000)

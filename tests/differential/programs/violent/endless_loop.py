# Lines that were printed before an endless loop are there when time is up.
# lines: yes
# killed: timeout
# limits: wall_time_ms=2000
# doors: cold run
print("one")
print("two")
print("part of a line", end="")
open("reached", "w").close()
while True:
    pass

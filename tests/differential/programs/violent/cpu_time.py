# Lines that were printed before the CPU time ran out.
# lines: yes
# killed: cpu_time
# limits: cpu_time_ms=500
for number in range(3):
    print(number)
open("reached", "w").close()
while True:
    pass

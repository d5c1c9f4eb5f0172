# attack: burn CPU in many processes, each below the CPU time that the whole job has
# expect: cpu_time
# limits: --cpu-time 1 --timeout 120 --pids 32
# bare: host
import os
import time

from hostile import armed, breach, finish

LIMIT, EACH, PROCESSES = 1, 0.7, 6

armed(f"{PROCESSES} processes want {EACH} s each")
children = []
for _ in range(PROCESSES):
    child = os.fork()
    if child == 0:
        while time.process_time() < EACH:
            pass
        os._exit(0)
    children.append(child)
for child in children:
    os.waitpid(child, 0)
times = os.times()
breach(f"{times.children_user + times.children_system:.1f} s used of {LIMIT} s")
finish()

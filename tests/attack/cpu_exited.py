# attack: burn CPU in a chain of short-lived processes, so that nobody alive has used much
# expect: cpu_time
# limits: --cpu-time 1 --timeout 120
# bare: host
import os
import time

from hostile import armed, breach, finish

LIMIT, EACH, PROCESSES = 1, 0.1, 40

armed(f"{PROCESSES} processes want {EACH} s, one after the other")
for _ in range(PROCESSES):
    child = os.fork()
    if child == 0:
        while time.process_time() < EACH:
            pass
        os._exit(0)
    os.waitpid(child, 0)
times = os.times()
breach(f"{times.children_user + times.children_system:.1f} s used of {LIMIT} s")
finish()

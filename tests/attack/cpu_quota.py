# attack: take more CPUs than allowed, with several busy processes, a higher priority, real time
# expect: CONTAINED
# limits: --cpus 0.25 --cpu-time 60 --timeout 120 --pids 16
# bare: host
import os
import time

from hostile import DENIED, breach, contained, finish, in_child, refused

ALLOWED, SECONDS, PROCESSES = 0.25, 2, 3

real_time = os.sched_param(1)
refused("SCHED_FIFO", DENIED, in_child, os.sched_setscheduler, 0, os.SCHED_FIFO, real_time)
refused("SCHED_RR", DENIED, in_child, os.sched_setscheduler, 0, os.SCHED_RR, real_time)
refused("nice -5", DENIED, in_child, os.setpriority, os.PRIO_PROCESS, 0, -5)

start = time.monotonic()
children = []
for _ in range(PROCESSES):
    child = os.fork()
    if child == 0:
        while time.monotonic() < start + SECONDS:
            pass
        os._exit(0)
    children.append(child)
for child in children:
    os.waitpid(child, 0)
times = os.times()
share = (times.children_user + times.children_system) / (time.monotonic() - start)
# The quota is refilled ten times a second: the first share may come on top.
if share > ALLOWED * 1.8:
    breach(f"{share:.2f} CPUs used of {ALLOWED}")
contained(f"{share:.2f} CPUs used of {ALLOWED}")
finish()

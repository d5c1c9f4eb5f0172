# attack: a program that replaces itself over and over, each time with fresh timers and counters, burns on
# expect: cpu_time
# limits: --cpu-time 1 --timeout 60
# bare: host
import os
import resource

from hostile import armed, breach, finish

LIMIT, BOUND = 1, 5  # above what a slow host is given

used = time = os.times().user + os.times().system
armed(f"{used:.1f} s of {LIMIT} used")
while time < used + 0.5:
    time = os.times().user + os.times().system
if time > BOUND:
    breach(f"{time:.1f} s used, of {LIMIT}")
    finish()
resource.setrlimit(resource.RLIMIT_CPU, resource.getrlimit(resource.RLIMIT_CPU))
os.execv("/proc/self/exe", ["python3", os.path.abspath(__file__)])

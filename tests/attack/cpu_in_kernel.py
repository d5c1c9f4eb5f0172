# attack: spend CPU time inside the kernel, where no instruction of ours runs: random numbers without end
# expect: cpu_time
# limits: --cpu-time 1 --timeout 60
# bare: host
import os

from hostile import armed, breach, finish

LIMIT, BOUND = 1, 5  # above what a slow host is given

armed(f"up to {BOUND} s of the kernel's time")
while os.times().system < BOUND:
    os.getrandom(1 << 20)
breach(f"{os.times().system:.1f} s of the kernel's time used, of {LIMIT}")
finish()

# attack: displays without end, which the supervisor must not keep
# expect: timeout
# limits: --notebook --timeout 3
# bare: no, only a notebook cell has displays
import hostile

hostile.armed("displays are next, as many as fit into the time")
while True:
    display("x" * 1000)  # noqa: F821

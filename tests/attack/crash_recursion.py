# attack: recurse without end, in Python's frames and on the C stack
# expect: signal memory
# limits: --memory 128M --timeout 60
# bare: no, a crash breaches nothing; the verdict is what is looked at
import contextlib
import sys

from hostile import armed, breach, finish

sys.setrecursionlimit(1 << 30)


class Endless:
    def __getattr__(self, name):
        return getattr(self, name + "x")


def endless(level):
    return endless(level + 1) + 1


nested = []
for _ in range(200_000):
    nested = [nested]
armed("200,000 lists in one another are next, then frames without end")
# From 3.12 on Python counts the frames of C by itself: those of its own are left.
with contextlib.suppress(RecursionError):
    repr(nested)
with contextlib.suppress(RecursionError):
    Endless().x
endless(1)
breach("still alive")
finish()

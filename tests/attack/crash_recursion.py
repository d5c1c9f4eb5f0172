# attack: recurse without end, in Python's frames and on the C stack
# expect: signal memory
# limits: --memory 128M --timeout 60
# bare: no, a crash breaches nothing; the verdict is what is looked at
import sys

from hostile import armed, breach, finish

sys.setrecursionlimit(1 << 30)


class Endless:
    def __getattr__(self, name):
        return getattr(self, name + "x")


nested = []
for _ in range(200_000):
    nested = [nested]
armed("200,000 lists in one another are next")
repr(nested)
Endless().x
breach("still alive")
finish()

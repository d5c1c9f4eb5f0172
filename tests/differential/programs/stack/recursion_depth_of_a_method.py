# The deepest recursion through a method, a property and a __call__.
import sys


class Deep:
    def __init__(self):
        self.most = 0

    def go(self, n):
        self.most = n
        self.go(n + 1)

    @property
    def prop(self):
        self.most += 1
        return self.prop

    def __call__(self):
        self.most += 1
        self()


for name in ("go", "prop", "__call__"):
    deep = Deep()
    try:
        deep.go(0) if name == "go" else deep.prop if name == "prop" else deep()
    except RecursionError as error:
        print(name, deep.most, error)
print(sys.getrecursionlimit())

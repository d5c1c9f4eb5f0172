# functools.total_ordering, cached_property, __class_getitem__, __getattr__ of a module.
import functools
import sys


@functools.total_ordering
class Version:
    def __init__(self, n):
        self.n = n

    def __eq__(self, other):
        return self.n == other.n

    def __lt__(self, other):
        return self.n < other.n

    @functools.cached_property
    def text(self):
        print("computed")
        return f"v{self.n}"

    def __class_getitem__(cls, item):
        return f"{cls.__name__}[{item}]"


def __getattr__(name):
    return f"module has no {name}"


v = Version(2)
print(v >= Version(1), v.text, v.text, Version["x"], sys.modules[__name__].missing)

# __del__ of objects that a closure, a default argument and a cache hold.
import functools


class Held:
    def __init__(self, name):
        self.name = name

    def __del__(self):
        print("gone from", self.name)


def outer():
    inside = Held("closure")
    return lambda: inside


def function(argument=Held("default")):
    return argument


@functools.lru_cache
def cached(name):
    return Held(name)


kept = outer()
cached("cache")
print("end of main")

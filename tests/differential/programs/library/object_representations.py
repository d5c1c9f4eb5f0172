# How objects of main show themselves.
class Thing:
    def method(self):
        pass

    @property
    def value(self):
        return 1


class Meta(type):
    pass


class WithMeta(metaclass=Meta):
    pass


def function():
    def inner():
        pass

    return inner


import re

for each in (Thing, Thing(), Thing().method, function(), Meta, WithMeta, Thing.value, iter([]), lambda: 0, len, re, type(None), NotImplemented, ...):
    print(re.sub("0x[0-9a-f]+", "0x…", repr(each)))
print(Thing.__module__, function().__qualname__, Thing.__qualname__, function.__module__)

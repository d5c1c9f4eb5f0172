# The callback of a weak reference when its object goes at the end.
import weakref


class Thing:
    pass


reference = weakref.ref(Thing.__new__(Thing), lambda _: print("at once"))
thing = Thing()
kept = weakref.ref(thing, lambda _: print("at the end"))
print("end of main")

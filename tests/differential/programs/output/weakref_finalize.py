# weakref.finalize calls what it was told to at the end.
import weakref


class Thing:
    pass


thing = Thing()
weakref.finalize(thing, print, "finalised")
print("end of main")

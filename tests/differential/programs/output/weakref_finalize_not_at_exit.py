# weakref.finalize with atexit = False is not called at the end; the others are, the newest first.
import weakref


class Thing:
    pass


things = [Thing() for _ in range(3)]
for number, thing in enumerate(things):
    weakref.finalize(thing, print, "finalised", number)
weakref.finalize(things, print, "never") if False else None
quiet = weakref.finalize(things[0], print, "never")
quiet.atexit = False

# atexit.unregister and the order of what is left.
import atexit


def dropped():
    print("never")


atexit.register(print, 1)
atexit.register(dropped)
atexit.register(print, 2)
atexit.unregister(dropped)

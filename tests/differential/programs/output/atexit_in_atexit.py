# A function that is registered with atexit while those are called.
import atexit


def first():
    print("first")
    atexit.register(print, "registered late")


atexit.register(print, "second")
atexit.register(first)

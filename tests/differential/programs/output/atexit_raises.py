# An exception in a function of atexit is shown, the others run, the exit status stays 0.
# python: >=3.12
import atexit

atexit.register(print, "runs last")


@atexit.register
def fails():
    raise ValueError("in atexit")


atexit.register(print, "runs first")
print("main")

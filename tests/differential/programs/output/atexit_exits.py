# sys.exit() in a function of atexit changes no exit status.
import atexit
import sys

atexit.register(print, "still called")
atexit.register(sys.exit, 7)
print("main")

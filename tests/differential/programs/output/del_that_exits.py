# sys.exit() in a __del__ ends nothing.
import sys

sys.unraisablehook = lambda problem: print("unraisable:", problem.exc_type.__name__)


class Bad:
    def __del__(self):
        sys.exit(4)


bad = Bad()
del bad
print("goes on")

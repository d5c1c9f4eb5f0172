# An exception in a __del__ at the end goes to sys.unraisablehook.
import sys


def hook(problem, print=print):
    print("unraisable:", problem.exc_type.__name__, problem.exc_value)


sys.unraisablehook = hook


class Bad:
    def __del__(self):
        raise ValueError("in __del__")


bad = Bad()
del bad
print("end of main")

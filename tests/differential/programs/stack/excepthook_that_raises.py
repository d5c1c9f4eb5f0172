# An exception in sys.excepthook: "Error in sys.excepthook" and both tracebacks.
import sys


def hook(kind, error, traceback):
    raise RuntimeError("in the hook")


sys.excepthook = hook
raise ValueError("first")

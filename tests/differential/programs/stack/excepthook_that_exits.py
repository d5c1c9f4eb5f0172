# sys.exit() in sys.excepthook.
import sys


def hook(kind, error, traceback):
    print("hook:", error)
    sys.exit(7)


sys.excepthook = hook
raise ValueError("first")

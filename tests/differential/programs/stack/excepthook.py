# sys.excepthook of the script's own.
import sys


def hook(kind, error, traceback):
    print("hook:", kind.__name__, error, traceback.tb_lineno, traceback.tb_next)


sys.excepthook = hook
raise ValueError("hooked")

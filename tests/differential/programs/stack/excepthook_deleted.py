# sys.excepthook that is missing, and one that cannot be called.
import sys

sys.excepthook = None
raise ValueError("shown all the same")

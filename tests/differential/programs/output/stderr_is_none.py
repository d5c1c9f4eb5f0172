# sys.stderr = None: the traceback of an exception goes nowhere, the exit status is 1.
import sys

print("shown")
sys.stderr = None
raise ValueError("seen by nobody")

# os._exit(9) in a function of atexit ends it with that status.
import atexit
import os

atexit.register(os._exit, 9)
print("shown", flush=True)

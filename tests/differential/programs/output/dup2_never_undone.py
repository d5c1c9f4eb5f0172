# os.dup2 of a file over descriptor 1: what is printed until the end goes there, and not to the caller.
import os

print("shown", flush=True)
os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
print("not shown")

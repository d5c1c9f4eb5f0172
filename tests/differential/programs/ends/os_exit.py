# os._exit(5) loses nothing that was flushed.
import os

print("flushed", flush=True)
os._exit(5)

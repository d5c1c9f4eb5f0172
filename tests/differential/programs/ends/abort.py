# os.abort() after a flush.
import os

print("flushed", flush=True)
os.abort()

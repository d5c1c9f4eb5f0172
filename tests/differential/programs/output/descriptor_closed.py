# os.close(1) before the end: what is still in the buffer cannot be written, exit status 120.
# doors: cold via run run-cold
import os
import sys

print("flushed", flush=True)
sys.stdout.write("kept")
os.close(1)

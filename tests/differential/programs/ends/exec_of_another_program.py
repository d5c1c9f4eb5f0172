# os.execv: another program takes the script's place.
import os
import sys

print("before", flush=True)
os.execv(sys.executable, [sys.executable, "-c", "import sys; print('after'); sys.exit(12)"])

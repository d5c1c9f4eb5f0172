# A child's output comes after what was flushed before it.
import subprocess
import sys

print("first", flush=True)
subprocess.run(["echo", "second"], check=True)
subprocess.run([sys.executable, "-c", "print('third')"], check=True)
print("fourth")

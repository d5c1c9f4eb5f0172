# /proc/self/environ and os.environ agree.
# env: ADDED=1
import os

entries = open("/proc/self/environ").read().split("\0")[:-1]
print(sorted(entries) == sorted(f"{name}={value}" for name, value in os.environ.items()), os.environb[b"ADDED"])

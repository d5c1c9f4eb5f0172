# PYTHONUNBUFFERED=1 loses nothing at os._exit.
# env: PYTHONUNBUFFERED=1
import os

print("shown")
os._exit(0)

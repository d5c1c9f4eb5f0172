# PYTHONFAULTHANDLER=1 shows where os.abort() was called.
# lines: yes
# env: PYTHONFAULTHANDLER=1
import os

print("one")
os.abort()

# PYTHONDEVMODE=1: a file that is not closed is a ResourceWarning.
# env: PYTHONDEVMODE=1
import sys

print(sys.flags.dev_mode)
open("x", "w")
print("end of main")

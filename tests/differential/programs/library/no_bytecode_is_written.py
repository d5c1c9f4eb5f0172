# PYTHONDONTWRITEBYTECODE: no __pycache__ beside the script's modules.
# files: one.py "value = 1\n"
import os
import sys

import one

print(sorted(os.listdir(".")), sys.dont_write_bytecode, one.__cached__ is not None)

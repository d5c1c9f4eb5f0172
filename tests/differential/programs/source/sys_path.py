# sys.path in full.
import sys

print(sys.path)

# sys.exit(True) is exit status 1.
import sys

print("before")
sys.exit(True)

# sys.stderr.close(): print() to it is a ValueError, the script's end is not.
import sys

print("shown")
sys.stderr.close()
try:
    print("not shown", file=sys.stderr)
except ValueError as error:
    print(error)

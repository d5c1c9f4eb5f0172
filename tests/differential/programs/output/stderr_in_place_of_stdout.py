# sys.stdout = sys.stderr.
import sys

print("to stdout")
sys.stdout = sys.stderr
print("to stderr")

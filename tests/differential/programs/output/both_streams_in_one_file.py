# sys.stdout = sys.stderr = open(file): neither shows anything, the file has both.
import atexit
import sys

out = sys.stdout
sys.stdout = sys.stderr = open("log.txt", "w", buffering=1)
print("to the file")
print("to the file, too", file=sys.stderr)
atexit.register(lambda: out.write(open("log.txt").read()))

# sys.stdout.close() as the last thing.
import sys

print("shown")
sys.stdout.close()

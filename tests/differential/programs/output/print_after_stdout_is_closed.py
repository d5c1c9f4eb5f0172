# print() after sys.stdout.close() is a ValueError.
import sys

print("shown")
sys.stdout.close()
print("not shown")

# sys.exit() with a number that fits into no C int.
import sys

print("before")
sys.exit(10**30)

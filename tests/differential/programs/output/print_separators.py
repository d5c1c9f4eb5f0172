# print() with sep, end, file and flush.
import sys

print(1, 2, 3, sep="-", end="!\n")
print(*"abc", sep="\n", file=sys.stdout, flush=True)
print(end="")
print()
print("a", "b", sep="")

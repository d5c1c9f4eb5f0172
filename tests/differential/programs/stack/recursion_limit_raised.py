# sys.setrecursionlimit for a deep search, as solutions of judges' tasks have it.
import sys

sys.setrecursionlimit(10**6)


def depth(n):
    return 0 if n == 0 else 1 + depth(n - 1)


print(depth(20_000))

# sys.setrecursionlimit below and slightly above what is in use.
import sys

for limit in (0, 1, 5, 20):
    try:
        sys.setrecursionlimit(limit)
    except (RecursionError, ValueError) as error:
        print(limit, type(error).__name__, error)
    else:
        print(limit, "accepted")


def count(n):
    try:
        return count(n + 1)
    except RecursionError:
        return n


result = count(0)
sys.setrecursionlimit(1000)
print(result)

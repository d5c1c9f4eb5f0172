# The deepest recursion through functools.lru_cache.
import functools


@functools.lru_cache(maxsize=None)
def fibonacci(n):
    return n if n < 2 else fibonacci(n - 1) + fibonacci(n - 2)


print(fibonacci(300))
for n in range(310, 2000):
    try:
        fibonacci.cache_clear()
        fibonacci(n)
    except RecursionError as error:
        print(n, error)
        break

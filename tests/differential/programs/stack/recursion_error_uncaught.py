# The traceback of a RecursionError that nothing catches.
def recurse(n):
    return recurse(n + 1)


recurse(0)

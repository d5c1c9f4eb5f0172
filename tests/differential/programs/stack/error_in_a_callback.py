# An exception in a key function, in sorted() and map().
def key(x):
    return x / 0


sorted([2, 1], key=key)

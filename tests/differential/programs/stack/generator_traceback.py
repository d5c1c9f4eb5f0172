# The traceback through generators, and StopIteration that becomes a RuntimeError.
def inner():
    yield 1
    raise StopIteration("too early")


def outer():
    yield from inner()


list(outer())

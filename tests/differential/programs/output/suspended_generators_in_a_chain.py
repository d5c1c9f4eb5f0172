# Generators that are suspended within one another, with finally and with.
import contextlib


@contextlib.contextmanager
def section(name):
    print("enter", name)
    try:
        yield
    finally:
        print("leave", name)


def inner():
    with section("inner"):
        yield 1


def outer():
    with section("outer"):
        yield from inner()


chain = outer()
next(chain)
print("end of main")

# sys.exit() within functions, try, with and finally.
import contextlib
import sys


@contextlib.contextmanager
def section():
    print("enter")
    try:
        yield
    finally:
        print("leave")


def work():
    try:
        with section():
            sys.exit(4)
    except Exception:
        print("not caught")
    finally:
        print("finally")


work()

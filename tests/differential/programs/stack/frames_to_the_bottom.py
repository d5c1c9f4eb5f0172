# The frames from a function down to the bottom, and what is below.
import sys


def names():
    frame = sys._getframe()
    while frame is not None:
        yield frame.f_code.co_name
        frame = frame.f_back


def inner():
    return list(names())


print(inner())
try:
    sys._getframe(5)
except ValueError as error:
    print(error)

# What an exception's traceback holds: lines, names, frames.
import sys


def fail():
    raise ValueError("x")


try:
    fail()
except ValueError as error:
    at = error.__traceback__
    while at:
        print(at.tb_lineno, at.tb_frame.f_code.co_name, at.tb_frame.f_back is None)
        at = at.tb_next
    print(sys.exc_info()[0], error.args, error.__context__, error.__suppress_context__)

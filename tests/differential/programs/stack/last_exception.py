# sys.last_value in a function of atexit after an exception that nothing caught.
import atexit
import sys


@atexit.register
def show():
    print(sys.last_type.__name__, sys.last_value, sys.last_traceback.tb_lineno)


raise KeyError("last")

# sys.exception(), sys.exc_info(), traceback.print_last in atexit.
import atexit
import sys
import traceback


@atexit.register
def end():
    print(sys.exc_info(), sys.last_type.__name__)
    traceback.print_last()


raise OSError(2, "not here", "name")

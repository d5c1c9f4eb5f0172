# faulthandler.dump_traceback on stderr.
import faulthandler


def inner():
    faulthandler.dump_traceback(all_threads=False)


inner()

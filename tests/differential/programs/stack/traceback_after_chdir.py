# The lines of the script are in a traceback after os.chdir, too.
import os

os.chdir("/tmp")


def fail():
    raise ValueError("elsewhere")


fail()

# A second stream for descriptor 1 that a frame of the traceback holds.
import os


def work():
    out = os.fdopen(1, "w", closefd=False)
    out.write("held by a frame\n")
    raise ValueError("with a frame")


work()

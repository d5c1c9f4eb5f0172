# A file that is never closed is written at the end: another process, which outlives this one's main, reads it.
import atexit
import os

held = open("data.txt", "w")
held.write("in the buffer")


@atexit.register
def size():
    print("at exit:", os.path.getsize("data.txt"))


class Last:
    def __del__(self, getsize=os.path.getsize, print=print):
        print("after the names:", getsize("data.txt"))


last = Last()

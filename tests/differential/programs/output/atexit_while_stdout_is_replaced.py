# A function of atexit that prints while sys.stdout is a StringIO, and one that puts it back.
import atexit
import io
import sys

out = sys.stdout
held = io.StringIO()


@atexit.register
def last():
    sys.stdout = out
    print("held:", repr(held.getvalue()))


atexit.register(print, "into the StringIO")
sys.stdout = held
print("this, too")

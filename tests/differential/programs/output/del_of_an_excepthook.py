# __del__ of an object that is sys.excepthook.
import sys


class Hook:
    def __call__(self, *args):
        sys.__excepthook__(*args)

    def __del__(self):
        print("hook gone")


sys.excepthook = Hook()
print("end of main")

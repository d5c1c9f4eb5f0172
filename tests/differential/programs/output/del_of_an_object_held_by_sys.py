# __del__ of an object that sys holds.
import sys


class Held:
    def __del__(self):
        print("gone with sys")


sys.held = Held()
print("end of main")

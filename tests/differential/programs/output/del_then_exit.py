# __del__ of a global after sys.exit(6).
import sys


class Held:
    def __del__(self):
        print("released")


held = Held()
sys.exit(6)

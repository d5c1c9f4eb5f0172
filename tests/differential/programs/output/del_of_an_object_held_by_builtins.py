# __del__ of an object that builtins holds.
import builtins


class Held:
    def __del__(self):
        print("gone with builtins")


builtins.held = Held()
print("end of main")

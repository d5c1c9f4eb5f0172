# __del__ of an object in a module that was made by types.ModuleType.
import sys
import types


class Held:
    def __del__(self):
        print("gone with a made module")


made = types.ModuleType("made")
made.held = Held()
sys.modules["made"] = made
del made
print("end of main")

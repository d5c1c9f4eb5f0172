# __del__ of an object that was put into a module of the standard library.
import json


class Held:
    def __del__(self):
        print("gone with json")


json.held = Held()
print("end of main")

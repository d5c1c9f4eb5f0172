# __del__ of an object in the main thread's threading.local.
import threading


class Held:
    def __del__(self):
        print("gone with thread-local storage")


local = threading.local()
local.held = Held()
print("end of main")

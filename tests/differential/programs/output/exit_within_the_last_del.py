# os._exit() in a __del__ at the end.
import os


class Last:
    def __del__(self, leave=os._exit):
        print("leaving", flush=True)
        leave(9)


last = Last()
print("end of main")

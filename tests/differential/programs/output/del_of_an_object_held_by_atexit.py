# __del__ of an object that only a function of atexit holds.
import atexit


class Task:
    def __call__(self):
        print("called")

    def __del__(self):
        print("gone after the call")


atexit.register(Task())
print("end of main")

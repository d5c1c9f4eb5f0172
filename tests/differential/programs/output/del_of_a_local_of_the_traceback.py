# __del__ of an object that a frame of an uncaught exception holds: after the traceback.
# merge: yes
# lines: yes
class Held:
    def __del__(self):
        print("released")


def work():
    held = Held()
    raise ValueError("while it was held")


work()

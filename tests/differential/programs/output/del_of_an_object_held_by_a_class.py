# __del__ of an object that a class holds, a class being a cycle.
class Held:
    __slots__ = ()

    def __del__(self):
        print("gone with its class")


Held.one = Held()
print("end of main")

# gc.collect() in a script with cycles that print.
import gc


class Node:
    def __init__(self, name):
        self.name = name
        self.me = self

    def __del__(self):
        print("collected", self.name)


Node("one")
print(gc.collect() > 0)
node = Node("two")
del node
print("end of main")

# __del__ of objects in a cycle that nobody collected.
class Node:
    def __init__(self, name):
        self.name = name

    def __del__(self):
        print("node", self.name)


one = Node("one")
one.me = one
del one
print("end of main")

# __del__ of an object that the main module holds prints at the end.
class Resource:
    def __init__(self, name):
        self.name = name

    def __del__(self):
        print("released", self.name)


a = Resource("a")
b = Resource("b")
print("end of main")

# Private names go before the others, each in the order of their definition.
class Named:
    def __init__(self, name):
        self.name = name

    def __del__(self, print=print):
        print(self.name)


first = Named("first")
_private = Named("_private")
second = Named("second")
_other = Named("_other")
print("end of main")

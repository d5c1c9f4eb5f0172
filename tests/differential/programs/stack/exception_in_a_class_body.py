# An exception in the body of a class.
class Broken:
    x = 1
    y = x.missing

# The qualified name of an exception's class, and one without a text.
class Outer:
    class Inner(Exception):
        pass


raise Outer.Inner

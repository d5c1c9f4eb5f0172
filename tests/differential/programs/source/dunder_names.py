# The names that a script finds at its start.
print(__name__, __doc__, sorted(globals()))
print(type(__builtins__).__name__, __spec__, type(__loader__).__name__, __file__, __package__)

# What globals() holds at the start, its order, and the values' kinds.
print(list(globals()))
print({name: type(value).__name__ for name, value in globals().items()})

# A block that is missing.
def f():
print("not in f")

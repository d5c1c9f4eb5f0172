# An argument that stands twice.
def f(a, a):
    pass

# inspect.getsource of a function, a class and a lambda of the script.
import inspect


def function(x):
    """A docstring."""
    return x  # a comment


class Class:
    def method(self):
        return 1


print(inspect.getsource(function), inspect.getsource(Class.method), inspect.getsourcelines(Class)[1])
print(inspect.getsourcefile(function).rpartition("/")[2], inspect.getmodule(function).__name__, inspect.getdoc(function))

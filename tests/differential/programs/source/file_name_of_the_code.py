# The file name in code objects and in inspect.getsourcefile.
import inspect


def function():
    pass


print(function.__code__.co_filename, inspect.getsourcefile(function), inspect.getfile(function))

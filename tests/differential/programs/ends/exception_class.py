# raise with a class and no instance, and one that is no exception.
try:
    raise 42
except TypeError as error:
    print(error)
raise LookupError

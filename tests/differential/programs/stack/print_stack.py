# traceback.print_stack from a function, on stderr.
import traceback


def inner():
    traceback.print_stack()


def outer():
    inner()


outer()
print(len(traceback.extract_stack()))

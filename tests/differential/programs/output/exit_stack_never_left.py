# An ExitStack that is entered and never left: nobody leaves it, but its generators are closed.
import contextlib


@contextlib.contextmanager
def resource(name):
    try:
        yield name
    finally:
        print("closed", name)


stack = contextlib.ExitStack()
stack.enter_context(resource("a"))
stack.callback(print, "callback")
print("end of main")

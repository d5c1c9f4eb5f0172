# inspect.stack(): how many frames, and what they say.
import inspect


def inner():
    return [(each.function, each.lineno, each.code_context) for each in inspect.stack()]


def outer():
    return inner()


for each in outer():
    print(each)

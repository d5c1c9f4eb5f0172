# The traceback through functions, a lambda, a comprehension, and a decorator.
import functools


def decorated(function):
    @functools.wraps(function)
    def wrapper(*args):
        return function(*args)

    return wrapper


@decorated
def inner(x):
    return 1 / x


outer = lambda x: [inner(n) for n in (x,)]  # noqa
outer(0)

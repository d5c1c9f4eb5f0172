# doctest.testmod() with an example that fails: what it got and what was expected.
"""
>>> double(2)
4
>>> double(3)
7
"""
import doctest


def double(x):
    """
    >>> double("a")
    'aa'
    """
    return 2 * x


print(doctest.testmod())

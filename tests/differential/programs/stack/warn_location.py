# warnings.warn with stack levels, the last of which is below the script.
import warnings


def inner(level):
    warnings.warn(f"level {level}", stacklevel=level)


def outer(level):
    inner(level)


for each in range(1, 6):
    outer(each)

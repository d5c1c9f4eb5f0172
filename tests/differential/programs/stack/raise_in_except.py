# "During handling of the above exception", twice.
def fail():
    try:
        1 / 0
    except ZeroDivisionError:
        int("x")


try:
    fail()
except ValueError:
    None.attribute

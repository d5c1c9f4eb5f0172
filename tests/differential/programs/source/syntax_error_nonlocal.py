# nonlocal at the top level, and a name used before global.
def f():
    x = 1
    global x

# Scopes: nonlocal, global, class bodies, closures in loops.
x = "module"


def outer():
    x = "outer"

    def inner():
        nonlocal x
        x = "changed"
        return x

    inner()
    return x


class C:
    x = "class"
    seen = [x for _ in range(1)]

    def method(self):
        return x


print(outer(), C().method(), C.seen, [f() for f in [lambda: i for i in range(3)]])
try:
    print(undefined_name)
except NameError as error:
    print(error)


def unbound():
    print(local)
    local = 1


unbound()

# Generators: send, throw, close, return values, yield from.
def echo():
    received = yield "ready"
    while True:
        try:
            received = yield received
        except ValueError as error:
            received = f"thrown {error}"
        except GeneratorExit:
            print("closed")
            return


def outer():
    result = yield from inner()
    yield f"inner returned {result}"


def inner():
    yield 1
    return "value"


generator = echo()
print(next(generator), generator.send("a"), generator.throw(ValueError("x")), list(outer()))
generator.close()
next(generator)

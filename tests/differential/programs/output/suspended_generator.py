# The finally of a generator that is suspended when the script ends.
def numbers():
    try:
        yield 1
        yield 2
    finally:
        print("generator closed")


generator = numbers()
print(next(generator))

# assert with and without a message.
try:
    assert 1 == 2
except AssertionError as error:
    print(repr(error))
assert [] == [1], f"not equal: {[]}"

# Integers with more digits than may be converted.
print(len(str(10**4000)))
try:
    str(10**5000)
except ValueError as error:
    print(error)
print(0xFFFF_FFFF, 0b1010, 0o777, 1_000_000, 1e400, 1j * 1j)

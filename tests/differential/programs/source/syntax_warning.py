# SyntaxWarning: "is" with a literal, and a call of a literal.
x = 1
print(x is 1)
try:
    print(1 (2))
except TypeError as error:
    print(error)
assert (x, "always true")

# A control character in the source: a SyntaxError.
print(1)


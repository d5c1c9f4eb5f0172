# Bytes that are not UTF-8, without a declaration: a SyntaxError.
print(1)
name = "café"

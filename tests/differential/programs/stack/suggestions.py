# "Did you mean" in tracebacks of NameError.
length = 3
print(lenght)

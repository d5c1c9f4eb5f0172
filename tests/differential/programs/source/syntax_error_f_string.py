# A fault within an f-string.
x = 1
print(f"{x!z}")

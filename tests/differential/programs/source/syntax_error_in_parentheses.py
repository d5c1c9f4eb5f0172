# A parenthesis that is never closed.
x = 1
print((1, 2, 3)
y = 2

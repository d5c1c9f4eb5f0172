# A SyntaxError in lines that end with CR LF.
print("one")
print("two"
x = 1

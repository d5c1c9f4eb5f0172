# A SyntaxError: its line and its caret.
x = 1
if x == 1
    print("never")

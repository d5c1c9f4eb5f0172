# The caret of a SyntaxError after a byte order mark.
print("bom" 1)

# coding: latin-1 A byte order mark against the declaration: a SyntaxError.
print("bom")

# Lines that end with CR LF, in a triple-quoted string, too.
text = """a
b"""
print(repr(text))
if True:
    print("indented")

# An unindent that does not match.
if True:
        print(1)
    print(2)

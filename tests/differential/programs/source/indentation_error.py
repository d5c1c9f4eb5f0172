# An indentation that nothing asked for.
print("before")
    print("indented")

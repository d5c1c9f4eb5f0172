# open(1, "w", closefd=False) that the module holds.
out = open(1, "w", closefd=False)
print("through a second stream", file=out)
print("through print")

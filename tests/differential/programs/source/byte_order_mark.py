# A byte order mark before the first line.
print("bom", 1)

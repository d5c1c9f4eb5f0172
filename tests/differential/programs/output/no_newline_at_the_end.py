# print(end="") as the last thing.
print("no newline", end="")

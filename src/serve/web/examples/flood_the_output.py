# Fifty megabytes for a server that would keep it all in memory.
for number in range(500_000):
    print(f"{number:9} " + "flood " * 15)
print("That was all of it.")

# Prints 50 MB. Does the host keep it in memory?
for number in range(50_000):
    print(f"{number:9} " + "flood " * 165)
print("That was all of it.")

# Half a megabyte in one line, and in many.
print("x" * 500_000)
for number in range(10_000):
    print(number, "." * 20)

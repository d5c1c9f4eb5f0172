# One gigabyte, 10 MB at a time. How far does it get?
hoard = []
for megabytes in range(0, 1000, 10):
    print(f"{megabytes} MB so far", flush=True)
    hoard.append(bytearray(b"x" * 10_000_000))
print("I have a gigabyte!")

# os.write to both descriptors beside print.
import os

print("first", flush=True)
os.write(1, b"second\n")
os.write(2, b"to stderr\n")
print("third")

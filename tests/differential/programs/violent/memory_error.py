# A MemoryError for what no machine has.
print("before")
try:
    b"x" * (1 << 60)
except MemoryError as error:
    print(type(error).__name__)
x = [0] * (1 << 60)

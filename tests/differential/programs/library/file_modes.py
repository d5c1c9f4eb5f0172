# open() with all its modes, buffering and errors.
import os

with open("f", "x") as file:
    print(file.write("one\ntwo\n"), file.tell(), file.mode, file.name, file.encoding)
with open("f", "r+", newline="") as file:
    print(file.readline(), file.seek(0, os.SEEK_END), file.write("three"), file.truncate(3))
with open("f", "ab", buffering=0) as file:
    print(file.write(b"\xff"), type(file).__name__, file.closed)
print(open("f", "rb").read(), open("f", errors="replace").read(), open("f", errors="surrogateescape").read().encode("utf-8", "surrogateescape"))
for mode, name in (("x", "f"), ("r", "none"), ("w", "no/such"), ("r", "."), ("bad", "f")):
    try:
        open(name, mode)
    except (OSError, ValueError) as error:
        print(type(error).__name__, error)

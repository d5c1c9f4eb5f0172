# Lines that were printed before memory ran out.
# lines: yes
# killed: memory
# limits: memory_bytes=50000000
print("one")
print("two")
open("reached", "w").close()
kept = []
while True:
    kept.append(bytearray(b"x") * (1 << 20))

# What parent and child printed before the memory of both ran out.
# lines: yes
# killed: memory
# limits: memory_bytes=50000000
import os

print("parent")
if os.fork() == 0:
    print("child")
    open("reached", "w").close()
    kept = []
    while True:
        kept.append(bytearray(b"x") * (1 << 20))
os.wait()
os.abort()

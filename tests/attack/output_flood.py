# attack: flood stdout and stderr from several processes: the end must still come through
# expect: CONTAINED
# limits: --output 64K --timeout 120
# bare: no, a flood breaches nothing; that the supervisor keeps its word is what is looked at
import os

from hostile import contained, finish

MIB = 1 << 20

children = []
for descriptor in (1, 2, 1, 2):
    child = os.fork()
    if child == 0:
        for _ in range(16):
            rest = memoryview(b"flood " * (MIB // 6) + b"\n")
            while rest:
                rest = rest[os.write(descriptor, rest) :]
        os._exit(0)
    children.append(child)
for child in children:
    os.waitpid(child, 0)
contained("64 MiB went out, and this is the last line")
finish()

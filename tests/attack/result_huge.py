# attack: a result without end: far more than is allowed, written to its descriptor directly
# expect: output
# limits: --timeout 60
# bare: no, only a sandbox has a result to forge
import os

from hostile import armed

armed("64 MiB of result are next")
piece = b"R" + b'"' + b"x" * ((1 << 20) - 2)
for _ in range(64):
    rest = memoryview(piece)
    while rest:
        rest = rest[os.write(3, rest) :]

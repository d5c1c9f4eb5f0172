# attack: a result that takes its parser a thousand times its own size in memory
# expect: CONTAINED
# host: memory
# bare: no, only a sandbox has a result to forge
import os

from hostile import contained, finish

# Valid JSON, just below the limit of 1 MiB.
rest = memoryview(b"R[" + b"{}," * 349_000 + b"{}]")
while rest:
    rest = rest[os.write(3, rest) :]
contained("349,001 empty objects went out as the result")
finish()

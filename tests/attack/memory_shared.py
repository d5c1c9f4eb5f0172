# attack: hide memory in shared anonymous maps and in memfds that nobody maps
# expect: memory
# limits: --memory 64M --timeout 60
# bare: host
import mmap
import os

from hostile import armed, breach, finish

MIB = 1 << 20

armed("256 MiB are next")
kept = []
for number in range(16):
    # Pages of a memfd stay when nobody maps them: they are in no process's resident set.
    descriptor = os.memfd_create("attack", os.MFD_ALLOW_SEALING)
    for _ in range(8):
        os.write(descriptor, b"x" * MIB)
    shared = mmap.mmap(-1, 8 * MIB, mmap.MAP_SHARED | mmap.MAP_ANONYMOUS)
    for offset in range(0, 8 * MIB, 4096):
        shared[offset] = 1
    kept.append((descriptor, shared))
breach("holds 256 MiB of 64")
finish()

# attack: fill memory by reading holes: files that are long and empty, mapped, get a page for each read
# expect: memory
# limits: --memory 64M --timeout 60 --tmp 1G
# bare: host
import mmap
import os
import tempfile

from hostile import armed, breach, finish

LIMIT, BOUND, MIB = 64, 192, 1 << 20

armed(f"{BOUND} MiB of holes are next")
kept = []
with tempfile.TemporaryFile(dir="/dev/shm") as file:
    for descriptor in (os.memfd_create("holes"), file.fileno()):
        os.ftruncate(descriptor, 1 << 40)
        holes = mmap.mmap(descriptor, BOUND * MIB // 2, mmap.MAP_SHARED, mmap.PROT_READ)
        kept.append(holes)
        for offset in range(0, len(holes), mmap.PAGESIZE):
            holes[offset]
    breach(f"holds {BOUND} MiB of holes, of {LIMIT}")
    finish()

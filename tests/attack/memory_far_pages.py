# attack: hide memory in the kernel's index of a file: pages as far from each other as a file is long
# expect: memory CONTAINED
# limits: --memory 64M --timeout 60 --tmp 8M
# bare: host
import errno
import os
import tempfile

from hostile import armed, breach, contained, finish

LIMIT, PAGES = 64, 40000  # each takes a page, and a chain of nodes in the index

armed(f"{PAGES} pages, each by itself, are next")
for place in ("memfd", "/dev/shm", "/tmp"):
    file = None
    try:
        if place == "memfd":
            descriptor = os.memfd_create("far")
        else:
            file = tempfile.TemporaryFile(dir=place)
            descriptor = file.fileno()
        for number in range(PAGES):
            os.pwrite(descriptor, b"x", (number * 0x9E3779B97F4A7 & (1 << 62) - 1) & ~4095)
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EFBIG, errno.EROFS):
            raise
        contained(f"{place} {error.strerror} after {number} pages")
        continue
    breach(f"{place} holds {PAGES} far pages, of {LIMIT} MiB for all")
    finish()
finish()

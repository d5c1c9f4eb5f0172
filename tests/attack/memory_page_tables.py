# attack: hide memory in page tables: one page of zeros read in every 2 MiB of address space
# expect: memory CONTAINED
# limits: --memory 32M --timeout 60
# bare: host
import ctypes
import mmap

from hostile import armed, breach, contained, finish

LIMIT, TABLES, STEP = 32 << 20, 16384, 2 << 20

armed(f"{TABLES * 4096 >> 20} MiB of page tables are next")
libc = ctypes.CDLL(None, use_errno=True)
libc.mmap.restype = ctypes.c_void_p
libc.mmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t] + [ctypes.c_int] * 3 + [ctypes.c_long]
MAP_NORESERVE = 0x4000
flags = mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | MAP_NORESERVE
address = libc.mmap(None, TABLES * STEP, mmap.PROT_READ, flags, -1, 0)
if address == ctypes.c_void_p(-1).value:
    contained(f"no 32 GiB of address space: errno {ctypes.get_errno()}")
    finish()
# No huge pages: each needs a table of its own.
libc.madvise(ctypes.c_void_p(address), ctypes.c_size_t(TABLES * STEP), 15)
for number in range(TABLES):
    ctypes.c_char.from_address(address + number * STEP).value
breach(f"{TABLES * 4096 >> 20} MiB of page tables, of {LIMIT >> 20}")
finish()

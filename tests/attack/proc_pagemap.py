# attack: find where our memory is in the machine's: physical addresses, for bit flips (rowhammer)
# expect: CONTAINED
# bare: host
import ctypes
import errno
import mmap
import os
import struct

from hostile import ABSENT, breach, contained, finish

PRESENT, FRAME = 1 << 63, (1 << 55) - 1

page = mmap.mmap(-1, 4096 * 16)
for index in range(16):
    page[index * 4096] = 1
address = ctypes.addressof(ctypes.c_char.from_buffer(page))
for path in ("/proc/self/pagemap", f"/proc/{os.getpid()}/task/{os.getpid()}/pagemap", "/proc/thread-self/pagemap"):
    try:
        with open(path, "rb", 0) as file:
            data = os.pread(file.fileno(), 16 * 8, address // 4096 * 8)
    except OSError as error:
        if error.errno not in ABSENT:
            breach(f"{path} {errno.errorcode[error.errno]}")
        contained(f"{path} {error.strerror}")
        continue
    frames = [entry & FRAME for (entry,) in struct.iter_unpack("Q", data) if entry & PRESENT]
    if any(frames):
        breach(f"{path} has page frame {max(frames):#x}")
    contained(f"{path}: {len(frames)} pages, no addresses")
finish()

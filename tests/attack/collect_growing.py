# attack: files that change while they are collected: they grow, shrink and vanish, by processes that live on
# expect: CONTAINED
# limits: --collect-glob ** --collect-bytes 1M --tmp 64M
# bare: no, there is nobody who collects
import mmap
import os
import time

from hostile import contained, finish

os.chdir("/work")
for number in range(4):
    file = os.open(f"growing{number}", os.O_RDWR | os.O_CREAT)
    os.write(file, b"CONTAINED\n")
    os.ftruncate(file, 4096)
    if os.fork() == 0:
        view = mmap.mmap(file, 4096)
        while True:
            os.ftruncate(file, 16 << 20)
            os.pwrite(file, b"x" * 100_000, 5_000_000)
            view[100:200] = b"y" * 100
            os.ftruncate(file, 4096)
            os.rename(f"growing{number}", f"gone{number}")
            os.rename(f"gone{number}", f"growing{number}")
with open("steady", "w") as file:
    file.write("CONTAINED\n")
time.sleep(0.2)
contained("files are being changed while they are collected")
finish()

# attack: files that are collected and longer than any disk: terabytes without a byte in them, by several names
# expect: CONTAINED
# limits: --collect-glob **
# bare: no, there is nobody who collects
import errno
import os

from hostile import contained, finish

os.chdir("/work")
for size in (1 << 33, 1 << 40, 1 << 42, (1 << 63) - 4096, (1 << 63) - 1):
    with open(f"BREACH-{size}", "wb") as file:
        file.write(b"CONTAINED\n")
        try:
            file.truncate(size)
        except OSError as error:
            if error.errno not in (errno.EFBIG, errno.EINVAL):
                raise
            file.close()
            os.remove(file.name)
            continue
    os.link(file.name, f"{file.name}-again")
with open("small", "wb") as file:
    file.write(b"CONTAINED\n")
    file.truncate(5000)
contained("they are there; only the small one fits")
finish()

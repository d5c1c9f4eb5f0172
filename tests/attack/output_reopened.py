# attack: open our own pipes again, both ways: steal our output, resize, keep every end, write packets
# expect: CONTAINED
# bare: no, it is the reader at the other end that is attacked
import contextlib
import fcntl
import os

from hostile import contained, finish

F_SETPIPE_SZ = 1031

kept = []
for descriptor in range(4):
    for flags in (os.O_RDONLY, os.O_WRONLY, os.O_RDWR):
        try:
            kept.append(os.open(f"/proc/self/fd/{descriptor}", flags | os.O_NONBLOCK))
        except OSError as error:
            contained(f"{descriptor} {error.strerror}")
for end in (0, 1, 2, *kept):
    for size in (4096, 1 << 17, 1 << 20, (1 << 31) - 1):
        with contextlib.suppress(OSError):
            fcntl.fcntl(end, F_SETPIPE_SZ, size)
    flags = fcntl.fcntl(end, fcntl.F_GETFL)
    for flag in (os.O_DIRECT, os.O_ASYNC, os.O_NONBLOCK, os.O_APPEND):
        with contextlib.suppress(OSError):
            fcntl.fcntl(end, fcntl.F_SETFL, flags | flag)
    fcntl.fcntl(end, fcntl.F_SETFL, flags)

# Our own output comes back to us, as much of it as the reader has not taken.
for end in kept:
    with contextlib.suppress(OSError):
        for _ in range(100):
            os.write(1, b"x" * 4000)
            os.read(end, 1 << 16)
os.write(1, b"\n")
contained(f"{len(kept)} more ends of our pipes are open; the verdict must come all the same")
finish()

# attack: read the result's pipe empty, as fast as it is written to, and keep all its ends
# expect: CONTAINED
# bare: no, only a sandbox has a result
import contextlib
import os
import threading

from hostile import contained, finish


def drain(reader):
    with contextlib.suppress(OSError):
        while os.read(reader, 1 << 16):
            pass


ends = 0
for flags in (os.O_RDONLY, os.O_RDWR):
    for path in ("/proc/self/fd/3", "/dev/fd/3", f"/proc/{os.getpid()}/task/{os.getpid()}/fd/3"):
        try:
            end = os.open(path, flags)
        except OSError as error:
            contained(f"{path} {error.strerror}")
            continue
        ends += 1
        threading.Thread(target=drain, args=(end,), daemon=True).start()
for _ in range(100 if ends else 1):
    os.write(3, b'R"' + b"x" * 10_000 + b'"')
contained(f"{ends} ends of the result's pipe read it; what is lost is our own result")
finish()

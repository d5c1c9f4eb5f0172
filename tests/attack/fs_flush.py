# attack: make the host's disk empty its cache, over and over, by files that we can only read
# expect: CONTAINED
# bare: host
import ctypes
import errno
import os
import sys
import time

from hostile import breach, contained, finish, refused, unclear

libc = ctypes.CDLL(None, use_errno=True)
libc.sync_file_range.argtypes = (ctypes.c_int, ctypes.c_long, ctypes.c_long, ctypes.c_uint)
CALLS = {
    "fsync": libc.fsync,
    "fdatasync": libc.fdatasync,
    "sync_file_range": lambda descriptor: libc.sync_file_range(descriptor, 0, 0, 7),
}
ROUNDS = 200

# Only the kernel sees that a pipe can't be written out: where it says so, calls go to the disk.
readable, writable = os.pipe()
for name, function in CALLS.items():
    if function(writable) == 0:
        contained(f"{name} does nothing")
    elif ctypes.get_errno() in (errno.EINVAL, errno.ESPIPE):
        breach(f"{name} reaches what it is called for")
    else:
        unclear(f"{name} {errno.errorcode.get(ctypes.get_errno())}")
    # No descriptor: programs must still learn of their mistake.
    for descriptor in (-1, 1 << 24):
        if function(descriptor) == 0 or ctypes.get_errno() != errno.EBADF:
            unclear(f"{name}({descriptor}) is not told that it is no descriptor")

for path in (os.path.realpath(sys.executable), os.path.dirname(os.__file__), "/"):
    descriptor = os.open(path, os.O_RDONLY)
    start = time.monotonic()
    for _ in range(ROUNDS):
        os.fsync(descriptor)
    print(f"{ROUNDS} × fsync {path}: {(time.monotonic() - start) * 1e3:.1f} ms")
    os.close(descriptor)
for name in ("sync", "syncfs"):
    # sync() returns nothing; the raw call tells.
    number = {"sync": 162, "syncfs": 306} if os.uname().machine == "x86_64" else {"sync": 81, "syncfs": 267}

    def whole(name=name, number=number):
        root = os.open("/proc/self", os.O_RDONLY)
        if libc.syscall(number[name], root) < 0:
            raise OSError(ctypes.get_errno(), name)

    refused(name, (errno.EPERM, errno.ENOSYS), whole)
finish()

# attack: fill the disk with sparse files: as long as can be, written here and there, allocated, grown
# expect: CONTAINED
# limits: --tmp 4M --memory 256M
# bare: host
import contextlib
import errno
import os
import tempfile

from hostile import ABSENT, READ_ONLY, breach, contained, finish, unclear

LIMIT, BOUND, MIB = 4, 32, 1 << 20
LONGEST = (1 << 63) - 1

kept, held = [], 0
for directory in ("/tmp", os.getcwd(), "/dev/shm"):
    try:
        file = tempfile.TemporaryFile(dir=directory, buffering=0)
    except OSError as error:
        if error.errno not in READ_ONLY + ABSENT + (errno.ENOSPC,):
            unclear(f"{directory}: {error}")
        contained(f"{directory} {error.strerror}")
        continue
    kept.append(file)
    for length in (LONGEST, 1 << 60, 1 << 43, 1 << 40):
        with contextlib.suppress(OSError):
            os.ftruncate(file.fileno(), length)
            break
    try:
        for number in range(BOUND):
            os.pwrite(file.fileno(), bytes(1 << 18), number << 36)
            os.posix_fallocate(file.fileno(), (number << 36) + (1 << 20), 1 << 18)
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EFBIG):
            unclear(f"{directory}: {error}")
    here = os.fstat(file.fileno()).st_blocks * 512
    contained(f"{directory} {here >> 10} KiB of {os.fstat(file.fileno()).st_size >> 40} TiB")
    held += here
if held > LIMIT * MIB + (1 << 18):
    breach(f"{held >> 10} KiB written, of {LIMIT} MiB")
finish()

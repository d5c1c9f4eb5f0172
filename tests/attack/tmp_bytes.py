# attack: fill the disk: every place that can be written, in files that are deleted at once
# expect: CONTAINED
# limits: --tmp 4M --memory 256M
# bare: host
import errno
import os
import tempfile

from hostile import ABSENT, READ_ONLY, breach, contained, finish, unclear

LIMIT, BOUND, MIB = 4, 64, 1 << 20

kept, held = [], 0
for directory in ("/tmp", os.getcwd(), "/dev/shm", "/var/tmp", "/run", "/dev", "/"):
    try:
        file = tempfile.TemporaryFile(dir=directory, buffering=0)
    except OSError as error:
        if error.errno not in READ_ONLY + ABSENT + (errno.ENOSPC,):
            unclear(f"{directory}: {error}")
        contained(f"{directory} {error.strerror}")
        continue
    kept.append(file)
    here = 0
    try:
        while held + here < BOUND * MIB:
            here += file.write(bytes(1 << 16))
        # Sparse and allocated-only blocks count too.
        os.posix_fallocate(file.fileno(), here, MIB)
        here += MIB
    except OSError as error:
        if error.errno != errno.ENOSPC:
            unclear(f"{directory}: {error}")
    held += here
    contained(f"{directory} {here >> 10} KiB")
if held > LIMIT * MIB + (1 << 18):
    breach(f"{held >> 10} KiB written, of {LIMIT} MiB")
finish()

# attack: hide memory in extended attributes of files, which are no pages of theirs
# expect: memory CONTAINED
# limits: --memory 64M --timeout 60
# bare: host
import errno
import os
import tempfile

from hostile import READ_ONLY, armed, breach, contained, finish, unclear

LIMIT, BOUND, MIB, SIZE = 64, 96, 1 << 20, 60_000
FULL = (errno.ENOSPC, errno.EDQUOT, errno.E2BIG)

armed(f"up to {BOUND} MiB of attributes")
held, files = 0, 0
try:
    with tempfile.TemporaryDirectory(dir="/dev/shm") as directory:
        while held < BOUND * MIB and files < 1000:
            path = os.path.join(directory, str(files))
            os.close(os.open(path, os.O_CREAT))
            files += 1
            try:
                for number in range(16):
                    os.setxattr(path, f"user.{number}", os.urandom(8) * (SIZE // 8))
                    held += SIZE
            except OSError as error:
                if error.errno not in FULL:
                    raise
        if held > LIMIT * MIB:
            breach(f"{files} files have {held >> 20} MiB of attributes, of {LIMIT}")
        contained(f"{held >> 20} MiB of attributes")
except OSError as error:
    # EOPNOTSUPP: not on this kernel's tmpfs.
    if error.errno in READ_ONLY + (errno.EOPNOTSUPP, errno.ENOSPC, errno.ENOMEM):
        contained(f"{error.strerror} after {held >> 20} MiB")
    else:
        unclear(str(error))
finish()

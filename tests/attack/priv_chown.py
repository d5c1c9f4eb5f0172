# attack: make files that belong to others: to root, to the host's users, to groups that we are not in
# expect: CONTAINED
# bare: host
import errno
import os
import tempfile

from hostile import READ_ONLY, breach, contained, finish, refused

# EINVAL: no such id in our namespace; EPERM: not ours to give.
REFUSED = READ_ONLY + (errno.EINVAL,)

for directory in (os.getcwd(), "/tmp", "/dev/shm"):
    try:
        descriptor, path = tempfile.mkstemp(dir=directory)
    except OSError as error:
        contained(f"{directory} {error.strerror}")
        continue
    before = os.fstat(descriptor)
    for uid in (0, 1, 1001, 65534, 100000, 2**32 - 2):
        refused(f"chown {uid}", REFUSED, os.fchown, descriptor, uid, -1)
        refused(f"chgrp {uid}", REFUSED, os.chown, path, -1, uid)
    after = os.fstat(descriptor)
    if (before.st_uid, before.st_gid) != (after.st_uid, after.st_gid):
        breach(f"it belongs to {after.st_uid}:{after.st_gid}")
    os.close(descriptor)
    os.unlink(path)
finish()

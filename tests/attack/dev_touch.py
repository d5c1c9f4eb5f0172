# attack: change the host's own device nodes through those in /dev: their times, modes, owners, attributes
# expect: CONTAINED
# bare: host
import errno
import os

from hostile import READ_ONLY, finish, refused

REFUSED = READ_ONLY + (errno.EOPNOTSUPP, errno.EINVAL)

for name in ("null", "zero", "full", "random", "urandom"):
    path = f"/dev/{name}"
    facts = os.stat(path)
    descriptor = os.open(path, os.O_RDWR | os.O_NONBLOCK)
    # As they are: nothing changes but the time of the change.
    for how, target in (("", path), (" by descriptor", descriptor), (" by link", f"/proc/self/fd/{descriptor}")):
        refused(f"{name}: mode{how}", REFUSED, os.chmod, target, facts.st_mode & 0o7777)
        refused(f"{name}: owner{how}", REFUSED, os.chown, target, -1, os.getgid())
        refused(f"{name}: times{how}", REFUSED, os.utime, target)
    refused(f"{name}: attribute", REFUSED, os.setxattr, path, "user.attack", b"")
    os.close(descriptor)
finish()

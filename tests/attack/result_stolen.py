# attack: steal the code and the descriptors of the runner: read our input's and result's other ends
# expect: CONTAINED
# bare: no, only a sandbox has a runner
import errno
import os

from hostile import breach, contained, finish, refused

# The reading end of the result is the supervisor's; re-opened, it is a reading end of our own.
for descriptor in (0, 1, 2, 3):
    for flags in (os.O_RDONLY, os.O_WRONLY, os.O_RDWR):
        try:
            again = os.open(f"/proc/self/fd/{descriptor}", flags | os.O_NONBLOCK)
        except OSError as error:
            contained(f"{descriptor} {errno.errorcode[error.errno]}")
            continue
        if not os.readlink(f"/proc/self/fd/{again}").startswith(("pipe:", "/dev/null")):
            breach(f"{descriptor} is {os.readlink(f'/proc/self/fd/{again}')}")
        os.close(again)
for descriptor in range(3):
    # A pipe has no path, no owner that matters and no place to climb to.
    refused(f"fchdir {descriptor}", (errno.ENOTDIR,), os.fchdir, descriptor)
contained("nothing but pipes")
finish()

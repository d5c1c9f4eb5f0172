# attack: put another directory where the supervisor will look: move the working directory away
# expect: CONTAINED
# bare: host
import errno
import os

from hostile import ABSENT, READ_ONLY, finish, refused

REFUSED = READ_ONLY + ABSENT + (errno.EBUSY, errno.EXDEV, errno.ENOTEMPTY)


def moved(path):
    """Back at once, where it goes."""
    os.rename(path, f"{path}.attack")
    os.rename(f"{path}.attack", path)
    return "moved"


# By its own name, through /proc, and from within. Of a host only this directory is ever touched.
here = os.getcwd()
for path in (here, f"/proc/self/cwd/../{os.path.basename(here)}", os.path.join(here, "..", os.path.basename(here))):
    refused(f"{path} moved", REFUSED, moved, path)
finish()

# attack: climb out with "..": from the root, through chroot, through links in /proc
# expect: CONTAINED
# bare: host
import os

from hostile import ABSENT, FILTERED, breach, call, contained, finish, refused


def host():
    """Is this the host's root? It has the host's processes or boot files."""
    return any(map(os.path.exists, ("boot/grub", "etc/fstab", "sys/kernel")))


def climb():
    for _ in range(200):
        os.chdir("..")


root = os.stat("/")
for start in ("/", "/tmp", os.getcwd(), "/proc/self/fd", "/dev/shm"):
    os.chdir(start)
    climb()
    here = os.stat(".")
    if (here.st_dev, here.st_ino) != (root.st_dev, root.st_ino):
        breach(f"from {start} up to another root")
for path in (
    "/..",
    "/proc/self/root/..",
    "/proc/self/cwd/../..",
    "/proc/thread-self/root/..",
    "/proc/self/task/../root/..",
):
    try:
        there = os.stat(path)
    except OSError as error:
        if error.errno not in ABSENT:
            breach(f"{path}: {error}")
        continue
    if (there.st_dev, there.st_ino) != (root.st_dev, root.st_ino):
        breach(f"{path} is another root")
contained("every '..' ends at the root")

# The classic: chroot below the working directory, then walk up past the root that is checked for.
os.chdir("/")
refused("chroot", FILTERED, call, "chroot", b"/tmp")
climb()
if host():
    breach("the host's root")
finish()

# attack: leave by a directory that was left open or as working directory (runc's CVE-2024-21626)
# expect: CONTAINED
# host: descriptors
# bare: host
import errno
import os

from hostile import ABSENT, breach, contained, finish, refused

NO_DIRECTORY = ABSENT + (errno.EBADF,)
start = os.getcwd()
if start.startswith("(unreachable)"):
    breach(f"the working directory is {start}")
for descriptor in range(64):
    for path in (f"/proc/self/fd/{descriptor}", f"/dev/fd/{descriptor}", f"/proc/thread-self/fd/{descriptor}"):
        refused("chdir", NO_DIRECTORY, os.chdir, path)
        refused("open below", NO_DIRECTORY, os.open, f"{path}/../../../../etc/hostname", os.O_RDONLY)
for path in ("/proc/self/cwd/../../../../../etc/shadow-", "/proc/1/cwd/etc", "/proc/1/root/etc"):
    refused(path, ABSENT, os.open, path, os.O_RDONLY)
contained(f"we are in {start}, and no descriptor is a directory")
finish()

# attack: find a terminal: a new one, the host's, its console (CVE-2025-52565, CVE-2016-9962)
# expect: CONTAINED
# bare: host
import errno
import os

from hostile import ABSENT, breach, contained, finish, refused

FLAGS = os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK
NO_TERMINAL = ABSENT + (errno.ENXIO,)

for name in ("ptmx", "pts/ptmx", "pts/0", "pts/1", "tty", "tty0", "tty1", "vcs", "vcsa1", "hvc0"):
    refused(f"/dev/{name}", NO_TERMINAL, os.open, f"/dev/{name}", FLAGS)
# The console is only looked at: to open one may do things to a line.
try:
    console = os.lstat("/dev/console")
except FileNotFoundError:
    contained("no /dev/console")
else:
    breach(f"/dev/console is there, {console.st_mode:o}")
for descriptor in range(4):
    if os.isatty(descriptor):
        breach(f"descriptor {descriptor} is a terminal, {os.ttyname(descriptor)}")
contained("no descriptor is a terminal")
finish()

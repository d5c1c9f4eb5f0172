# attack: type commands into the user's terminal (TIOCSTI, TIOCLINUX), or take it over
# expect: CONTAINED
# host: terminal
# bare: host
import ctypes
import os

from hostile import ABSENT, FILTERED, breach, call, contained, finish, refused

TIOCSTI, TIOCLINUX = 0x5412, 0x541C
ENOTTY, ENXIO, EIO, EINVAL = 25, 6, 5, 22

for descriptor in range(3):
    if os.isatty(descriptor):
        breach(f"descriptor {descriptor} is a terminal")
for path in ("/dev/tty", "/dev/console", "/dev/tty0", "/dev/ptmx", "/dev/pts/ptmx", "/dev/pts/0"):
    refused(path, ABSENT + (ENXIO,), os.open, path, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)

# ENOTTY would be the pipe's answer: then the filter has let the request through.
form_feed = ctypes.c_char(b"\f")
for name, request in (("TIOCSTI", TIOCSTI), ("TIOCLINUX", TIOCLINUX)):
    # The kernel reads the request's lower half only.
    for bits in (0, 1 << 32, 0xFFFFFFFF << 32):
        refused(
            f"{name} {bits:#x}",
            FILTERED,
            call,
            "ioctl",
            0,
            request | bits,
            form_feed,
            reached=(ENOTTY, EIO, EINVAL),
        )
contained("no terminal")
finish()

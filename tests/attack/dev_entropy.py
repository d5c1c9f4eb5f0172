# attack: foul the well: the kernel's random numbers, by the requests that /dev/random takes
# expect: CONTAINED
# bare: host
import errno
import fcntl
import os
import struct

from hostile import FILTERED, finish, refused

REFUSED = FILTERED + (errno.ENOTTY,)
REACHED = (errno.EINVAL, errno.EFAULT)
# Nothing is added: no bits, no bytes.
REQUESTS = {"how much": (0x80045200, bytes(4)), "add to the count": (0x40045201, struct.pack("i", 0)),
            "add bytes": (0x40085203, struct.pack("ii", 0, 0))}

for device in ("/dev/random", "/dev/urandom"):
    descriptor = os.open(device, os.O_RDWR)
    for name, (request, value) in REQUESTS.items():
        refused(f"{device}: {name}", REFUSED, fcntl.ioctl, descriptor, request, value, reached=REACHED)
    os.close(descriptor)
finish()

# attack: ask file systems for what has no call: flags of files, blocks on the disk, copies, trimming
# expect: CONTAINED
# bare: host
import errno
import fcntl
import os
import struct

from hostile import FILTERED, finish, refused

REFUSED = FILTERED + (errno.ENOTTY,)
REACHED = (errno.EINVAL, errno.EOPNOTSUPP, errno.EBADF, errno.EXDEV, errno.EROFS, errno.EACCES)
# To be asked, or with arguments that do nothing.
REQUESTS = {"flags": (0x80086601, bytes(8)), "attributes": (0x801C581F, bytes(28)), "block": (1, bytes(4)),
            "extents": (0xC020660B, bytes(32)), "clone": (0x40049409, struct.pack("i", -1)),
            "trim": (0xC0185879, bytes(24)), "version": (0x80087601, bytes(8)), "label": (0x81009431, bytes(256)),
            "encryption": (0x400C6615, bytes(12)), "size of a disk": (0x1260, bytes(8)), "uuid": (0x80111500, bytes(17))}

for path in (os.path.realpath("/proc/self/exe"), os.__file__, "/", "/tmp", "/proc/self"):
    descriptor = os.open(path, os.O_RDONLY)
    for name, (request, value) in REQUESTS.items():
        refused(f"{name} of {path}", REFUSED, fcntl.ioctl, descriptor, request, value, reached=REACHED)
    os.close(descriptor)
finish()

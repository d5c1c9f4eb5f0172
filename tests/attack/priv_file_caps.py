# attack: give programs privileges of their own: capabilities of files, in /tmp and in memory (CVE-2023-0386's end)
# expect: CONTAINED
# bare: host
import errno
import os
import struct
import tempfile

from hostile import READ_ONLY, contained, finish, refused

# Version 3, all permitted, effective, for the root user of namespace 0 and of our own.
REFUSED = READ_ONLY + (errno.EOPNOTSUPP, errno.EINVAL)


def give(path, root):
    value = struct.pack("<IIIIII", 0x03000001, 0xFFFFFFFF, 0, 0x1FF, 0, root)
    os.setxattr(path, "security.capability", value)


def trusted(path, name):
    os.setxattr(path, name, b"x")


memory = os.memfd_create("attack")
places = [f"/proc/self/fd/{memory}"]
for directory in (os.getcwd(), "/tmp", "/dev/shm"):
    try:
        descriptor, path = tempfile.mkstemp(dir=directory)
    except OSError as error:
        contained(f"{directory} {error.strerror}")
        continue
    os.close(descriptor)
    places.append(path)
for path in places:
    for root in (0, 1000):
        refused(f"capabilities, root {root}", REFUSED, give, path, root)
    for name in ("trusted.overlay.opaque", "security.ima", "security.evm"):
        refused(name, REFUSED, trusted, path, name)
for path in places[1:]:
    os.unlink(path)
finish()

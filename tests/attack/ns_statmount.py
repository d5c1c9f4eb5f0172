# attack: list the mounts of other namespaces, the host's among them, by the calls made for that
# expect: CONTAINED
# bare: host
import ctypes
import errno
import os
import struct

from hostile import FILTERED, call, finish, refused

LSMT_ROOT, STATMOUNT_MNT_POINT = 0xFFFFFFFFFFFFFFFF, 0x10
REACHED = (errno.ENOENT, errno.EINVAL, errno.EFAULT, errno.EOVERFLOW)
# ENOSYS is also what kernels before 6.8 say.


def asked(name, mount, parameter, size):
    request = ctypes.create_string_buffer(struct.pack("=IIQQ", 24, 0, mount, parameter), 24)
    return call(name, request, ctypes.create_string_buffer(size), size // (8 if name == "listmount" else 1), 0)


refused("listmount of the root", FILTERED, asked, "listmount", -1 & LSMT_ROOT, 0, 1024, reached=REACHED)
identity = os.stat("/").st_dev
for mount in (1, 2, identity, 1 << 32):
    refused(f"statmount {mount}", FILTERED, asked, "statmount", mount, STATMOUNT_MNT_POINT, 4096, reached=REACHED)
finish()

# attack: open the host's files by handle, past every mount ("shocker", CVE-2014-3519's kin)
# expect: CONTAINED
# bare: host
import ctypes
import os
import struct

from hostile import FILTERED, breach, call, finish, refused

ESTALE, EBADF, EINVAL, EOPNOTSUPP, EOVERFLOW, EFAULT = 116, 9, 22, 95, 75, 14

mount_id = ctypes.c_int()
handle = ctypes.create_string_buffer(struct.pack("Ii", 128, 0) + bytes(128), 136)
refused(
    "name_to_handle_at",
    FILTERED,
    call,
    "name_to_handle_at",
    -100,
    b"/",
    handle,
    mount_id,
    0,
    reached=(EINVAL, EOPNOTSUPP, EOVERFLOW, EFAULT),
)
# Inode 2 is the root directory of most disks.
for inode in (2, 128, 256):
    made = ctypes.create_string_buffer(struct.pack("IiII", 8, 1, inode, 0), 136)
    for path in ("/", "/etc", "/dev/shm", "/proc"):
        directory = os.open(path, os.O_RDONLY)
        descriptor = refused(
            f"open_by_handle_at {inode} {path}",
            FILTERED,
            call,
            "open_by_handle_at",
            directory,
            made,
            os.O_RDONLY,
            reached=(ESTALE, EBADF, EINVAL, EOPNOTSUPP),
        )
        if descriptor:
            breach(f"by handle: {os.listdir(descriptor)[:4]}")
            os.close(descriptor)
        os.close(directory)
finish()

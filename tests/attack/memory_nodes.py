# attack: choose where the machine's memory is taken from, and move what others share: NUMA policies
# expect: CONTAINED
# bare: host
import ctypes
import errno
import mmap

from hostile import FILTERED, call, finish, in_child, refused

MPOL_DEFAULT, MPOL_BIND, MPOL_MF_MOVE = 0, 2, 2
REACHED = (errno.EINVAL, errno.ENODEV, errno.ESRCH, errno.EFAULT)

page = mmap.mmap(-1, 4096)
address = ctypes.addressof(ctypes.c_char.from_buffer(page))
nodes = ctypes.create_string_buffer(b"\1" + bytes(7), 8)
pages, status = (ctypes.c_void_p * 1)(address), (ctypes.c_int * 1)()
for name, arguments in (
    ("set_mempolicy", (MPOL_BIND, nodes, 64)),
    ("mbind", (address, 4096, MPOL_BIND, nodes, 64, MPOL_MF_MOVE)),
    ("move_pages", (0, 1, pages, None, status, 0)),
    ("migrate_pages", (0, 64, nodes, nodes)),
):
    refused(name, FILTERED, in_child, call, name, *arguments, reached=REACHED)
finish()

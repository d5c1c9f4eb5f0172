# attack: arguments whose upper half a filter may compare and the kernel ignores
# expect: CONTAINED
# bare: host
import ctypes
import errno
import mmap
import os
import socket

from hostile import FILTERED, call, finish, in_child, refused

HIGH = (1 << 32, 1 << 62, 0xDEAD << 32)
NO_OPTION = FILTERED + (errno.EINVAL,)
PR_GET_TSC = 25
F_GETLEASE, MADV_MERGEABLE, ADDR_NO_RANDOMIZE, SO_TIMESTAMP = 1025, 12, 0x40000, 29
NS_GET_NSTYPE = 0xB703

page = mmap.mmap(-1, 1 << 16)
address = ctypes.addressof(ctypes.c_char.from_buffer(page))
one = ctypes.c_int(1)
room = ctypes.create_string_buffer(64)
with open(os.__file__, "rb") as file, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
    for high in HIGH:
        refused("prctl", NO_OPTION, in_child, call, "prctl", PR_GET_TSC | high, ctypes.addressof(room), 0, 0, 0)
        refused("fcntl", NO_OPTION, call, "fcntl", file.fileno(), F_GETLEASE | high, 0)
        refused("madvise", NO_OPTION, call, "madvise", address, 1 << 16, MADV_MERGEABLE | high)
        refused("personality", FILTERED, in_child, call, "personality", ADDR_NO_RANDOMIZE | high)
        for level, option in ((1 | high, SO_TIMESTAMP), (1, SO_TIMESTAMP | high)):
            arguments = ("setsockopt", sock.fileno(), level, option, one, 4)
            refused("setsockopt", FILTERED + (errno.ENOPROTOOPT,), call, *arguments)
        refused("socket", FILTERED + (errno.EAFNOSUPPORT,), call, "socket", 16 | high, 3, 0)
        network = os.open("/proc/self/ns/net", os.O_RDONLY)
        refused("ioctl", FILTERED + (errno.ENOTTY,), call, "ioctl", network, NS_GET_NSTYPE | high, 0)
        os.close(network)
finish()

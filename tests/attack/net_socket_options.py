# attack: use options of sockets that tell of others, outlive us, change the kernel's code or load more of it
# expect: CONTAINED
# bare: namespaces
import ctypes
import errno
import socket

from hostile import breach, contained, finish, unclear

libc = ctypes.CDLL(None, use_errno=True)
# The levels that kernels have: SOL_SOCKET, those of IP and its protocols, and of other families.
LEVELS = (0, 1, 6, 17, 41, 58, 132, 136, 255, *range(256, 288))
# What any program may ask of its socket. Whatever the kernel knows besides is out of reach.
ALLOWED = {
    1: (2, 3, 4, 5, 6, 7, 8, 9, 10, 12, 13, 15, 16, 17, 18, 19, 20, 21, 30, 38, 39),
    0: (1, 2, 8, 10, 11, 12, 13, 14, 15, 24, 32, 33, 34),
    6: (*range(1, 14), 18, 23, 25, 30),
    41: (16, 17, 18, 19, 23, 24, 25, 26, 49, 51, 53, 56, 58, 60, 62, 66, 67),
}
NAMES = {
    (1, 29): "SO_TIMESTAMP (rewrites code)",
    (1, 35): "SO_TIMESTAMPNS (rewrites code)",
    (1, 37): "SO_TIMESTAMPING (rewrites code)",
    (1, 57): "SO_COOKIE (counts all sockets)",
    (1, 71): "SO_NETNS_COOKIE (counts all networks)",
    (17, 100): "UDP_ENCAP (rewrites code)",
    (17, 104): "UDP_GRO (rewrites code)",
    (6, 31): "TCP_ULP (loads modules)",
    (41, 32): "IPV6_FLOWLABEL_MGR (outlives us)",
}
REFUSED = (errno.ENOPROTOOPT, errno.EPERM)


def asked(sock, level, option):
    room, size = ctypes.create_string_buffer(256), ctypes.c_uint(256)
    return libc.getsockopt(sock.fileno(), level, option, room, ctypes.byref(size))


def set_one(sock, level, option):
    one = ctypes.c_int(1)
    return libc.setsockopt(sock.fileno(), level, option, ctypes.byref(one), 4)


def try_all(kind, sock):
    """The kernel's other errors show that it has looked at the option."""
    for level in LEVELS:
        for option in range(256):
            for verb, function in (("asked", asked), ("set", set_one)):
                # The kernel reads an int; what stands above must not fool the filter.
                if option in ALLOWED.get(level, ()):
                    continue
                result = function(sock, level, option)
                code = 0 if result == 0 else ctypes.get_errno()
                what = NAMES.get((level, option), f"level {level} option {option}")
                if code in REFUSED:
                    contained(f"{kind} refused")
                elif code in (errno.EBADF, errno.ENOTSOCK):
                    unclear(f"{kind} {what} {errno.errorcode[code]}")
                else:
                    breach(f"{kind} {what} {verb}: {errno.errorcode.get(code, 'done')}")


for kind, family, style in (
    ("TCP", socket.AF_INET6, socket.SOCK_STREAM),
    ("UDP", socket.AF_INET6, socket.SOCK_DGRAM),
    ("UDP4", socket.AF_INET, socket.SOCK_DGRAM),
    ("UNIX", socket.AF_UNIX, socket.SOCK_STREAM),
):
    with socket.socket(family, style) as sock:
        try_all(kind, sock)
finish()

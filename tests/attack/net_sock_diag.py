# attack: ask the kernel who is connected with whom: sockets of all kinds, with their users and processes
# expect: CONTAINED
# bare: host
import errno
import socket
import struct

from hostile import FILTERED, finish, refused

NETLINK_SOCK_DIAG, SOCK_DIAG_BY_FAMILY, NLM_F_REQUEST, NLM_F_DUMP = 4, 20, 1, 0x300
REFUSED = FILTERED + (errno.EAFNOSUPPORT,)


def listed(family, protocol, body):
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, NETLINK_SOCK_DIAG) as netlink:
        request = struct.pack("=BBH", family, protocol, 0) + body
        header = struct.pack("=IHHII", 16 + len(request), SOCK_DIAG_BY_FAMILY, NLM_F_REQUEST | NLM_F_DUMP, 1, 0)
        netlink.send(header + request)
        netlink.settimeout(5)
        return f"an answer of {len(netlink.recv(1 << 16))} bytes"


everything = struct.pack("=I", 0xFFFFFFFF)
refused("TCP", REFUSED, listed, socket.AF_INET, socket.IPPROTO_TCP, everything + bytes(48))
refused("UNIX", REFUSED, listed, socket.AF_UNIX, 0, everything + bytes(4) + everything + bytes(8))
finish()

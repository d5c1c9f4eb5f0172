# attack: rings of raw packets, shared with the kernel (CVE-2016-8655, CVE-2017-7308, CVE-2020-14386)
# expect: CONTAINED
# bare: host
import errno
import socket
import struct

from hostile import FILTERED, finish, refused

SOL_PACKET, PACKET_RX_RING, PACKET_VERSION, TPACKET_V3 = 263, 5, 10, 2
REFUSED = FILTERED + (errno.EAFNOSUPPORT,)


def ring(kind):
    # Protocol 0: it receives nothing.
    with socket.socket(socket.AF_PACKET, kind, 0) as packets:
        packets.setsockopt(SOL_PACKET, PACKET_VERSION, TPACKET_V3)
        packets.setsockopt(SOL_PACKET, PACKET_RX_RING, struct.pack("=IIIIIII", 4096, 1, 2048, 2, 60, 0, 0))
    return "a ring"


for name, kind in (("raw", socket.SOCK_RAW), ("cooked", socket.SOCK_DGRAM), ("old", 10)):
    refused(f"{name} packets", REFUSED, ring, kind, reached=(errno.EINVAL, errno.ENOMEM))
finish()

# attack: reach the classifiers of traffic by route netlink: filters, queues (CVE-2022-2588, CVE-2023-4623)
# expect: CONTAINED
# bare: host
import errno
import socket
import struct

from hostile import FILTERED, finish, refused

NETLINK_ROUTE, NLM_F_REQUEST, NLM_F_DUMP = 0, 1, 0x300
RTM_GETLINK, RTM_GETROUTE, RTM_GETQDISC, RTM_GETTFILTER = 18, 26, 38, 46
REFUSED = FILTERED + (errno.EAFNOSUPPORT,)


def asked(kind):
    """Dumps: what is asked for changes nothing."""
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, NETLINK_ROUTE) as netlink:
        netlink.send(struct.pack("=IHHII20x", 36, kind, NLM_F_REQUEST | NLM_F_DUMP, 1, 0))
        netlink.settimeout(5)
        return f"an answer of {len(netlink.recv(1 << 16))} bytes"


for name, kind in (
    ("links", RTM_GETLINK),
    ("routes", RTM_GETROUTE),
    ("queues", RTM_GETQDISC),
    ("filters", RTM_GETTFILTER),
):
    refused(name, REFUSED, asked, kind, reached=(errno.EACCES,))
finish()

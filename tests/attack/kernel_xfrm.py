# attack: reach IPsec: policies by netlink, sockets of its own, keys (CVE-2017-7184, CVE-2017-16939)
# expect: CONTAINED
# bare: host
import errno
import socket
import struct

from hostile import FILTERED, finish, refused

NETLINK_XFRM, AF_KEY, PF_KEY_V2 = 6, 15, 2
XFRM_MSG_GETPOLICY, NLM_F_REQUEST, NLM_F_DUMP = 21, 1, 0x300
IP_XFRM_POLICY, IPPROTO_ESP, IPPROTO_AH = 17, 50, 51
REFUSED = FILTERED + (errno.EAFNOSUPPORT, errno.EPROTONOSUPPORT)


def policies():
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, NETLINK_XFRM) as netlink:
        netlink.send(struct.pack("=IHHII64x", 80, XFRM_MSG_GETPOLICY, NLM_F_REQUEST | NLM_F_DUMP, 1, 0))
        netlink.settimeout(5)
        return f"an answer of {len(netlink.recv(1 << 16))} bytes"


def policy_of_a_socket():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.setsockopt(socket.IPPROTO_IP, IP_XFRM_POLICY, bytes(8))


refused("policies", REFUSED, policies, reached=(errno.EACCES,))
refused("PF_KEY", REFUSED, socket.socket, AF_KEY, socket.SOCK_RAW, PF_KEY_V2)
for name, protocol in (("ESP", IPPROTO_ESP), ("AH", IPPROTO_AH)):
    refused(name, REFUSED, socket.socket, socket.AF_INET, socket.SOCK_RAW, protocol)
refused("a socket's policy", (errno.ENOPROTOOPT,), policy_of_a_socket, reached=(errno.EINVAL, *FILTERED))
finish()

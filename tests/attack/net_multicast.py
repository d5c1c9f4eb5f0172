# attack: reach all at once that listen on the host's networks: broadcast, multicast, service discovery
# expect: CONTAINED
# bare: host
import errno
import socket

from hostile import DENIED, finish, refused

NO_ROUTE = DENIED + (errno.ENETUNREACH, errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT, errno.ENODEV, errno.ENOPROTOOPT)


def route(family, address, port):
    """To connect a UDP socket sends nothing, but needs a route."""
    with socket.socket(family, socket.SOCK_DGRAM) as datagrams:
        datagrams.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
        datagrams.connect((address, port))
        return datagrams.getsockname()


def join(address):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as datagrams:
        datagrams.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, socket.inet_aton(address) + bytes(4))


for name, address, port in (("broadcast", "255.255.255.255", 67), ("all hosts", "224.0.0.1", 5353),
                            ("mDNS", "224.0.0.251", 5353), ("SSDP", "239.255.255.250", 1900)):
    refused(name, NO_ROUTE, route, socket.AF_INET, address, port)
for address in ("ff02::1", "ff02::fb"):
    refused(address, NO_ROUTE + (errno.EINVAL,), route, socket.AF_INET6, address, 5353)
refused("the group of mDNS", NO_ROUTE, join, "224.0.0.251")
finish()

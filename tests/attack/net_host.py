# attack: talk to the host and the world: its loopback, the gateway, name servers, cloud metadata
# expect: CONTAINED
# host: tcp udp
# bare: host
import errno
import socket

from hostile import CANARY_TCP, CANARY_UDP, DENIED, contained, finish, refused

# A network of its own has no route. With loopback up (a policy's choice) it is an empty one.
NO_ROUTE = DENIED + (errno.ENETUNREACH, errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT)


def tcp(family, address, port):
    with socket.socket(family, socket.SOCK_STREAM) as stream:
        stream.settimeout(10)
        stream.connect((address, port))
        stream.send(b"attack\n")


def udp(family, address, port):
    with socket.socket(family, socket.SOCK_DGRAM) as datagrams:
        datagrams.connect((address, port))
        if address.startswith("127.") or address == "::1":
            datagrams.send(b"attack\n")
            datagrams.settimeout(1)
            try:
                datagrams.recv(16)
            except TimeoutError:
                pass


for address in ("127.0.0.1", "127.0.0.53", "0.0.0.0"):
    if CANARY_TCP:
        reasons = NO_ROUTE + (errno.ECONNREFUSED,)
        refused(f"TCP {address}", reasons, tcp, socket.AF_INET, address, CANARY_TCP)
    if CANARY_UDP and address == "127.0.0.1":
        refused(f"UDP {address}", reasons, udp, socket.AF_INET, address, CANARY_UDP)
if CANARY_TCP:
    reasons = NO_ROUTE + (errno.ECONNREFUSED,)
    refused("TCP ::1", reasons, tcp, socket.AF_INET6, "::1", CANARY_TCP)
    refused("TCP ::ffff", reasons, tcp, socket.AF_INET6, "::ffff:127.0.0.1", CANARY_TCP)

# To connect a UDP socket sends nothing, but needs a route.
outside = ["8.8.8.8", "10.0.2.2", "169.254.169.254", "172.17.0.1", "192.168.1.1", "100.100.100.200"]
try:
    with open("/etc/resolv.conf") as file:
        outside += [
            line.split()[1]
            for line in file
            if line.startswith("nameserver ") and ":" not in line and "127." not in line
        ]
except FileNotFoundError:
    contained("no /etc/resolv.conf")
for address in outside:
    refused(f"route to {address}", NO_ROUTE, udp, socket.AF_INET, address, 53)
for address in ("2001:4860:4860::8888", "fd00:ec2::254", "fe80::1%1"):
    reasons = NO_ROUTE + (errno.EINVAL, errno.EHOSTUNREACH, errno.ENODEV)
    refused(f"route to {address}", reasons, udp, socket.AF_INET6, address, 53)
finish()

# attack: open sockets that reach past a network namespace or into rarely used parts of the kernel
# expect: CONTAINED
# bare: host
import errno
import os
import socket

from hostile import FILTERED, call, finish, refused

ALLOWED = (socket.AF_UNIX, socket.AF_INET, socket.AF_INET6)
EAFNOSUPPORT, EPROTONOSUPPORT, ESOCKTNOSUPPORT = 97, 93, 94
KERNEL_KNOWS = (EPROTONOSUPPORT, ESOCKTNOSUPPORT, errno.EINVAL, errno.ENODEV, errno.EACCES)
KNOWN = {
    socket.AF_NETLINK: "NETLINK",
    socket.AF_PACKET: "PACKET",
    socket.AF_VSOCK: "VSOCK",
    socket.AF_ALG: "ALG",
    socket.AF_BLUETOOTH: "BLUETOOTH",
    socket.AF_CAN: "CAN",
    socket.AF_RDS: "RDS",
    socket.AF_TIPC: "TIPC",
    44: "XDP",
}
TYPES = (socket.SOCK_STREAM, socket.SOCK_DGRAM, socket.SOCK_RAW, socket.SOCK_SEQPACKET)


def opened(*arguments):
    descriptor = call("socket", *arguments)
    os.close(descriptor)
    return "a socket"


# EAFNOSUPPORT is the kernel's own word for a family that it has not; a filter may use it too.
for family in range(48):
    if family in ALLOWED:
        continue
    for kind in TYPES:
        # The kernel reads an int; what stands above must not fool the filter.
        for bits in (0, 1 << 32):
            refused(
                f"{KNOWN.get(family, family)} type {kind}{' high bits' if bits else ''}",
                FILTERED + (EAFNOSUPPORT,),
                opened,
                family | bits,
                kind,
                0,
                reached=KERNEL_KNOWS,
            )
for name, protocol in (("ICMP", 1), ("TCP", 6), ("UDP", 17), ("RAW", 255)):
    for family in (socket.AF_INET, socket.AF_INET6):
        allowed = FILTERED + (EPROTONOSUPPORT,)
        refused(f"raw {name}", allowed, opened, family, socket.SOCK_RAW, protocol)
# Sequenced packets, SCTP and DCCP load modules of their own; a ping socket writes ICMP.
for name, kind, protocol in (
    ("ping", socket.SOCK_DGRAM, 1),
    ("SCTP", socket.SOCK_SEQPACKET, 132),
    ("SCTP stream", socket.SOCK_STREAM, 132),
    ("DCCP", 6, 33),
    ("L2TP", socket.SOCK_DGRAM, 115),
    ("SMC", socket.SOCK_STREAM, 256),
):
    allowed = FILTERED + (errno.EACCES, EPROTONOSUPPORT, ESOCKTNOSUPPORT)
    refused(name, allowed, opened, socket.AF_INET, kind, protocol)
finish()

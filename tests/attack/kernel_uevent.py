# attack: forge the kernel's messages to the host's daemons: uevents for udev (CVE-2009-1185), audit, connectors
# expect: CONTAINED
# bare: host
import errno
import socket

from hostile import FILTERED, finish, refused

FAMILIES = {"uevents": 15, "audit": 9, "SELinux": 7, "connector": 11, "generic": 16, "crypto": 21}
REFUSED = FILTERED + (errno.EAFNOSUPPORT,)
REACHED = (errno.EPROTONOSUPPORT, errno.EACCES)


def listened(protocol):
    """Bound to a group of receivers; nothing is sent."""
    with socket.socket(socket.AF_NETLINK, socket.SOCK_DGRAM, protocol) as netlink:
        netlink.bind((0, 1))
    return "a seat among the receivers"


for name, protocol in FAMILIES.items():
    refused(name, REFUSED, listened, protocol, reached=REACHED)
finish()

# attack: ask sockets for more than sockets: their namespace, drivers, bridges, tunnels, stamps of hardware
# expect: CONTAINED
# bare: host
import errno
import fcntl
import socket
import struct

from hostile import FILTERED, finish, refused

REFUSED = FILTERED + (errno.ENOTTY,)
REACHED = (errno.EINVAL, errno.ENODEV, errno.EOPNOTSUPP, errno.EFAULT, errno.ENOPKG, errno.EBUSY, errno.ENXIO)
# Of lo, and to be asked: nothing changes.
REQUESTS = {"SIOCGSKNS": 0x894C, "SIOCETHTOOL": 0x8946, "SIOCGIFBR": 0x8940, "SIOCGIFVLAN": 0x8982,
            "SIOCGIFHWADDR": 0x8927, "SIOCGIFADDR": 0x8915, "SIOCGIFMTU": 0x8921, "SIOCGARP": 0x8954,
            "SIOCGHWTSTAMP": 0x89B1, "SIOCGMIIPHY": 0x8947, "SIOCGETTUNNEL": 0x89F0, "SIOCGIFMAP": 0x8970}

with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
    for name, request in REQUESTS.items():
        refused(name, REFUSED, fcntl.ioctl, sock, request, struct.pack("16s240x", b"lo"), reached=REACHED)
finish()

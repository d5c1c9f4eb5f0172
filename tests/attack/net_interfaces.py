# attack: find an interface of the host, bring one up, give it an address
# expect: CONTAINED
# bare: host
import errno
import fcntl
import socket
import struct

from hostile import FILTERED, breach, contained, finish, refused

SIOCGIFNAME, SIOCGIFFLAGS, SIOCSIFFLAGS, SIOCSIFADDR = 0x8910, 0x8913, 0x8914, 0x8916
IFF_UP = 1
# How a filter refuses requests that it does not list.
NOT_KNOWN = (errno.ENOTTY,)
FORBIDDEN = FILTERED + NOT_KNOWN
# Those that the kernel makes in every new network namespace, once a tunnel module is loaded.
OWN = "lo sit0 tunl0 gre0 gretap0 erspan0 ip_vti0 ip6_vti0 ip6tnl0 ip6gre0".split()

asker = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
for index in range(1, 100):
    try:
        answer = fcntl.ioctl(asker, SIOCGIFNAME, struct.pack("16si20x", b"", index))
    except OSError as error:
        if error.errno != errno.ENODEV:
            raise
        continue
    name = answer[:16].rstrip(b"\0")
    if name.decode() not in OWN:
        breach(f"{name.decode()} is there")
    try:
        answer = fcntl.ioctl(asker, SIOCGIFFLAGS, struct.pack("16sh22x", name, 0))
    except OSError as error:
        if error.errno not in FORBIDDEN:
            raise
        contained(f"{name.decode()} is there, not to be asked")
        continue
    (flags,) = struct.unpack_from("h", answer, 16)
    if name != b"lo" and flags & IFF_UP:
        breach(f"{name.decode()} is up")
    contained(f"{name.decode()} {'up' if flags & IFF_UP else 'down'}")
    # The flags as they are: nothing changes, yet only an administrator may.
    same = struct.pack("16sh22x", name, flags)
    refused(f"{name.decode()} flags", FORBIDDEN, fcntl.ioctl, asker, SIOCSIFFLAGS, same)
address = struct.pack("16sHH4s16x", b"lo", socket.AF_INET, 0, bytes([127, 0, 0, 1]))
refused("lo address", FORBIDDEN, fcntl.ioctl, asker, SIOCSIFADDR, address)
finish()

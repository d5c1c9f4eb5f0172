# attack: talk past the network namespace to the machine's hypervisor and its other side (CVE-2021-26708)
# expect: CONTAINED
# bare: host
import errno
import os
import socket
import struct

from hostile import ABSENT, FILTERED, call, finish, refused

SO_VM_SOCKETS_BUFFER_SIZE = 0
REFUSED = FILTERED + (errno.EAFNOSUPPORT,)


def opened(kind):
    """Connected to nothing."""
    with socket.socket(socket.AF_VSOCK, kind) as vsock:
        # The CVE was a race about the size of its buffer.
        call("setsockopt", vsock.fileno(), socket.AF_VSOCK, SO_VM_SOCKETS_BUFFER_SIZE, struct.pack("Q", 65536), 8)
    return "a socket"


for name, kind in (("stream", socket.SOCK_STREAM), ("packets", socket.SOCK_SEQPACKET)):
    refused(f"vsock {name}", REFUSED, opened, kind)
refused("/dev/vsock", ABSENT, os.open, "/dev/vsock", os.O_RDONLY)
finish()

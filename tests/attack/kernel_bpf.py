# attack: load programs into the kernel: maps, a socket filter, type information (CVE-2021-3490, CVE-2020-8835)
# expect: CONTAINED
# bare: host
import ctypes
import errno
import socket
import struct

from hostile import FILTERED, call, finish, refused

BPF_MAP_CREATE, BPF_PROG_LOAD, BPF_PROG_GET_NEXT_ID, BPF_BTF_LOAD = 0, 5, 11, 18
BPF_PROG_TYPE_SOCKET_FILTER, BPF_MAP_TYPE_RINGBUF = 1, 27
SO_ATTACH_FILTER, SO_ATTACH_BPF, SO_ATTACH_REUSEPORT_CBPF = 26, 50, 51
REACHED = (errno.EINVAL, errno.EFAULT, errno.EBADF, errno.ENOENT, errno.E2BIG)
NO_OPTION = FILTERED + (errno.ENOPROTOOPT,)

# The smallest program that there is: r0 = 0; exit.
code = ctypes.create_string_buffer(struct.pack("=BBhi", 0xB7, 0, 0, 0) + struct.pack("=BBhi", 0x95, 0, 0, 0))
text = ctypes.create_string_buffer(b"MIT")


def bpf(command, attributes):
    return call("bpf", command, ctypes.create_string_buffer(attributes, 128), 128)


program = struct.pack("=IIQQ", BPF_PROG_TYPE_SOCKET_FILTER, 2, ctypes.addressof(code), ctypes.addressof(text))
refused("a program", FILTERED, bpf, BPF_PROG_LOAD, program, reached=REACHED)
ring = struct.pack("=IIII", BPF_MAP_TYPE_RINGBUF, 0, 0, 4096)
refused("a ring buffer", FILTERED, bpf, BPF_MAP_CREATE, ring, reached=REACHED)
refused("others' programs", FILTERED, bpf, BPF_PROG_GET_NEXT_ID, struct.pack("=I", 0), reached=REACHED)
refused("type information", FILTERED, bpf, BPF_BTF_LOAD, bytes(16), reached=REACHED)
with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
    classic = ctypes.create_string_buffer(struct.pack("=HBBI", 6, 0, 0, 0))
    filter = struct.pack("=H6xQ", 1, ctypes.addressof(classic))
    for name, option, value in (
        ("a classic filter", SO_ATTACH_FILTER, filter),
        ("a filter for a port", SO_ATTACH_REUSEPORT_CBPF, filter),
        ("another's program", SO_ATTACH_BPF, struct.pack("i", -1)),
    ):
        refused(name, NO_OPTION, sock.setsockopt, socket.SOL_SOCKET, option, value, reached=REACHED)
finish()

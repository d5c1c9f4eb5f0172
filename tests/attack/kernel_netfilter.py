# attack: reach the packet filters: nf_tables by netlink, iptables by options (CVE-2024-1086, CVE-2021-22555)
# expect: CONTAINED
# bare: host
import ctypes
import errno
import os
import socket
import struct

from hostile import FILTERED, breach, call, contained, finish, refused, unclear

# Also CVE-2022-34918 and CVE-2023-32233. As unprivileged user: by a user namespace first.
AF_NETLINK, NETLINK_NETFILTER, CLONE_NEWUSER_AND_NET = 16, 12, 0x50000000
NFNL_SUBSYS_NFTABLES, NFT_MSG_GETGEN, NLM_F_REQUEST = 10, 16, 1
IPT_SO_GET_INFO = ARPT_SO_GET_INFO = 64
EAFNOSUPPORT = (errno.EAFNOSUPPORT,)


def ask_nftables():
    with socket.socket(AF_NETLINK, socket.SOCK_RAW, NETLINK_NETFILTER) as netlink:
        kind = NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_GETGEN
        netlink.send(struct.pack("=IHHIIBBH", 20, kind, NLM_F_REQUEST, 1, 0, 0, 0, 0))
        netlink.settimeout(5)
        return f"an answer of {len(netlink.recv(4096))} bytes"


def ask_tables(family, level):
    """The kernel's own errors show that its code for tables has been asked."""
    libc = ctypes.CDLL(None, use_errno=True)
    room, size = ctypes.create_string_buffer(b"filter", 84), ctypes.c_uint(84)
    with socket.socket(family, socket.SOCK_DGRAM) as sock:
        if libc.getsockopt(sock.fileno(), level, IPT_SO_GET_INFO, room, ctypes.byref(size)) < 0:
            raise OSError(ctypes.get_errno(), "getsockopt")


refused("nf_tables", FILTERED + EAFNOSUPPORT, ask_nftables, reached=(errno.EACCES, errno.EINVAL))
for name, family, level in (("iptables", socket.AF_INET, 0), ("ip6tables", socket.AF_INET6, 41)):
    refused(name, (errno.ENOPROTOOPT,), ask_tables, family, level, reached=FILTERED)
pid = os.fork()
if pid == 0:
    try:
        call("unshare", CLONE_NEWUSER_AND_NET)
        os._exit(0)
    except OSError as error:
        os._exit(error.errno)
code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
if code == 0:
    breach("a network of our own, whose administrator we are")
elif code in FILTERED:
    contained(f"unshare {errno.errorcode[code]}")
else:
    unclear(f"unshare {code}")
finish()

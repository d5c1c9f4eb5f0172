# attack: read the host's connections, ports, sockets and neighbours from /proc/self/net
# expect: CONTAINED
# host: tcp udp
# bare: host
import os

from hostile import CANARY_ABSTRACT, CANARY_SOCKET, CANARY_TCP, CANARY_UDP, breach, contained, finish

for directory in ("/proc/self/net", "/proc/net", "/proc/thread-self/net", f"/proc/{os.getppid()}/net"):
    for table in ("tcp", "tcp6", "udp", "udp6", "raw", "icmp", "unix", "packet", "arp", "route", "rt_cache",
                  "ipv6_route", "if_inet6", "igmp", "nf_conntrack", "wireless", "dev_mcast", "fib_trie"):
        try:
            with open(f"{directory}/{table}") as file:
                rows = file.read().splitlines()
        except OSError as error:
            contained(f"{directory} {error.strerror}")
            continue
        text = "\n".join(rows)
        for name in (CANARY_ABSTRACT, CANARY_SOCKET):
            if name and name in text:
                breach(f"{table} tells of {name[:20]}")
        for port in (CANARY_TCP, CANARY_UDP):
            if port and f":{port:04X} " in text:
                breach(f"{table} tells of port {port}")
        # Only headers, and in a routing table what the loopback has.
        others = [row for row in rows[1:] if table not in ("ipv6_route", "fib_trie", "if_inet6", "igmp", "dev_mcast")]
        if others:
            breach(f"{directory}/{table} has {len(others)} rows")
        contained(f"{table} is empty")
finish()

# attack: ask the host's daemons to do it for us: docker, containerd, systemd, D-Bus and others, by their sockets
# expect: CONTAINED
# host: socket
# bare: host
import errno
import os
import socket

from hostile import ABSENT, CANARY_SOCKET, finish, refused

PATHS = """
    /run/docker.sock /var/run/docker.sock /run/containerd/containerd.sock /run/podman/podman.sock /run/crio/crio.sock
    /run/dbus/system_bus_socket /run/systemd/private /run/systemd/notify /run/systemd/journal/socket
    /run/systemd/io.systemd.Login /run/udev/control /run/user/0/bus /run/user/1000/bus /run/nscd/socket /run/acpid.socket
    /run/snapd.socket /run/libvirt/libvirt-sock /run/lxd.socket /run/sandbox-run.sock /run/sandbox-run/http.sock
    /tmp/.X11-unix/X0 /dev/log /run/uuidd/request /run/rpcbind.sock /run/mysqld/mysqld.sock
    /var/run/postgresql/.s.PGSQL.5432 /run/redis/redis.sock /run/pcscd/pcscd.comm
""".split()


def connected(path, kind):
    with socket.socket(socket.AF_UNIX, kind) as sock:
        sock.connect(path)


for path in PATHS + [CANARY_SOCKET] * bool(CANARY_SOCKET):
    for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
        # EPROTOTYPE and ECONNREFUSED would say that it is there.
        refused(path, ABSENT, connected, path, kind, reached=(errno.EPROTOTYPE, errno.ECONNREFUSED))
        refused(f"{path} by /proc", ABSENT, os.stat, f"/proc/self/root{path}")
finish()

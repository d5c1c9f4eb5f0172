# attack: reach the host's abstract UNIX sockets (D-Bus, X11, containerd), which no file protects
# expect: CONTAINED
# host: abstract
# bare: host
import errno
import socket

from hostile import CANARY_ABSTRACT, DENIED, breach, contained, finish, refused

NAMES = ["/tmp/.X11-unix/X0", "/containerd-shim/attack", "/tmp/dbus-attack", "/org/kernel/udev"]
if CANARY_ABSTRACT:
    NAMES.append(CANARY_ABSTRACT)
for name in NAMES:
    for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM, socket.SOCK_SEQPACKET):
        with socket.socket(socket.AF_UNIX, kind) as unix:
            nobody = DENIED + (errno.ECONNREFUSED,)
            refused(name, nobody, unix.connect, "\0" + name, reached=(errno.EPROTOTYPE,))
for path in ("/proc/net/unix", "/proc/self/net/unix"):
    try:
        with open(path) as file:
            names = file.read().splitlines()[1:]
            if len(names) > 20 or any(CANARY_ABSTRACT and CANARY_ABSTRACT in name for name in names):
                breach(f"{path} lists {len(names)} sockets, {names[0]}")
            contained(f"{path} lists {len(names)}")
    except OSError as error:
        contained(f"{path} {error.strerror}")
finish()

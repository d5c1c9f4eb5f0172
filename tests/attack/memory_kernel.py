# attack: hide memory in the kernel: full pipes and full sockets that nobody reads
# expect: memory CONTAINED
# limits: --memory 64M --timeout 60 --open-files 1024
# bare: host
import fcntl
import os
import socket

from hostile import armed, breach, contained, finish

LIMIT, BOUND, MIB = 64, 160, 1 << 20


def fill(descriptor):
    written = 0
    os.set_blocking(descriptor, False)
    try:
        while True:
            written += os.write(descriptor, bytes(1 << 16))
    except BlockingIOError:
        return written


armed(f"up to {BOUND} MiB in buffers of the kernel")
kept, held = [], 0
try:
    while held < BOUND * MIB:
        readable, writable = os.pipe()
        kept += [readable, writable]
        try:
            fcntl.fcntl(writable, fcntl.F_SETPIPE_SZ, MIB)
        except PermissionError:
            pass
        ours, theirs = socket.socketpair()
        ours.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, MIB)
        kept += [ours, theirs]
        held += fill(writable) + fill(ours.fileno())
except OSError as error:
    # Out of descriptors, or refused: then what counts is what is held by now.
    if held <= LIMIT * MIB:
        contained(f"{error.strerror} with {held / MIB:.1f} MiB")
if held > LIMIT * MIB:
    breach(f"the kernel holds {held / MIB:.1f} MiB for us, of {LIMIT}")
finish()

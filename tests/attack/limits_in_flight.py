# attack: keep descriptors where no limit on open files sees them: in messages that nobody takes
# expect: CONTAINED
# limits: --open-files 64 --timeout 60
# bare: host
import errno
import os
import socket

from hostile import breach, contained, finish, unclear

LIMIT, EACH, BOUND = 64, 50, 1000

kept, sent = [], 0
file = os.open("/", os.O_RDONLY)
try:
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
    ours.setblocking(False)
    while sent < BOUND:
        try:
            socket.send_fds(ours, [b"x"], [file] * EACH)
            sent += EACH
        except BlockingIOError:
            kept.append((ours.detach(), theirs.detach()))
            ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
            ours.setblocking(False)
except OSError as error:
    if error.errno not in (errno.ETOOMANYREFS, errno.EMFILE):
        unclear(str(error))
    contained(f"{error.strerror} after {sent}")
# The kernel counts before it adds: one message more than the limit.
if sent > LIMIT + 253:
    breach(f"{sent} descriptors are under way, of {LIMIT}")
finish()

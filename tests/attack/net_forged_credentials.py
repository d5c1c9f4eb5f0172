# attack: pass for root before those that ask a socket who is at its other end (SCM_CREDENTIALS)
# expect: CONTAINED
# bare: host
import errno
import os
import socket
import struct

from hostile import DENIED, finish, refused

SCM_CREDENTIALS = 2
ours, theirs = socket.socketpair()


def claim(pid, uid, gid):
    ours.sendmsg([b"x"], [(socket.SOL_SOCKET, SCM_CREDENTIALS, struct.pack("iII", pid, uid, gid))])
    return theirs.recv(1)


uid, gid = os.getuid(), os.getgid()
# EINVAL: an id that our namespace does not have.
for name, pid, user, group in (
    ("process 1", 1, uid, gid),
    ("root", os.getpid(), 0, 0),
    ("another user", os.getpid(), uid + 1, gid),
    ("another group", os.getpid(), uid, gid + 1),
):
    refused(name, DENIED + (errno.EINVAL, errno.ESRCH), claim, pid, user, group)
finish()

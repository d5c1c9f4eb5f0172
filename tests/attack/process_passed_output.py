# attack: pass our output to a detached process (SCM_RIGHTS) and write there after the end
# expect: CONTAINED
# host: leftovers
# bare: host
import os
import signal
import socket
import time

from hostile import PATIENCE, contained, finish

ours, theirs = socket.socketpair()
if os.fork() == 0:
    os.setsid()
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    signal.signal(signal.SIGPIPE, signal.SIG_IGN)
    os.closerange(1, 3)
    _, (output,), _, _ = socket.recv_fds(theirs, 16, 1)
    theirs.send(b"got it")
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        time.sleep(0.1)
    os.write(output, b"BREACH: a detached process still has our output\n")
    os._exit(0)
socket.send_fds(ours, [b"take"], [1])
ours.recv(16)
contained("a detached process holds our output; it may not live after the verdict")
finish()

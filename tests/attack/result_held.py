# attack: never close the result's descriptor, nor stdout: daemons hold them, or a cycle of sockets
# expect: CONTAINED
# host: leftovers
# bare: no, only a sandbox waits for a result
import os
import socket
import time

from hostile import PATIENCE, contained, finish

os.set_inheritable(3, True)
if os.fork() == 0:
    os.setsid()
    time.sleep(PATIENCE)
    os._exit(0)
# Sockets that carry themselves and the descriptors: only the kernel's collector closes them.
for _ in range(20):
    one, two = socket.socketpair()
    socket.send_fds(one, [b"x"], [1, 2, 3, one.fileno(), two.fileno()])
    socket.send_fds(two, [b"x"], [1, 2, 3, one.fileno(), two.fileno()])
    os.close(one.detach())
    os.close(two.detach())
contained("a daemon and forty messages in flight hold result and output")
finish()

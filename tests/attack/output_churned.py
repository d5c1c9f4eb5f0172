# attack: close every end of our output and open it again, a thousand times, while it is read
# expect: CONTAINED
# bare: no, it is the reader at the other end that is attacked
import contextlib
import os
import signal

from hostile import contained, finish

ROUNDS = 1000

signal.signal(signal.SIGPIPE, signal.SIG_IGN)
null = os.open("/dev/null", os.O_RDWR)
lost = 0
# Each stream but stdout, which has to tell: its last end on our side goes, and comes back by way of
# an end in the other direction. To the supervisor the stream is over, and then it is not.
for descriptor, ours, other in ((0, os.O_RDONLY, os.O_WRONLY), (2, os.O_WRONLY, os.O_RDONLY)):
    with contextlib.suppress(OSError):
        way_back = os.open(f"/proc/self/fd/{descriptor}", other | os.O_NONBLOCK)
        os.dup2(null, descriptor)
        for _ in range(ROUNDS):
            end = os.open(f"/proc/self/fd/{way_back}", ours | os.O_NONBLOCK)
            with contextlib.suppress(OSError):
                os.write(end, b"again\n")
            os.close(end)
            lost += 1
contained(f"stdin and stderr were lost {lost} times; stdout still tells")
finish()

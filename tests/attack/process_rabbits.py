# attack: outrun the killer: a chain of processes that each have one child and are gone
# expect: CONTAINED
# host: leftovers
# bare: host
import os
import signal
import time

from hostile import PATIENCE, contained, finish

readable, writable = os.pipe()
if os.fork() == 0:
    os.setsid()
    end_of_all, rabbit = os.pipe()
    if os.fork() == 0:
        os.close(rabbit)
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
        os.closerange(0, 3)
        while os.read(end_of_all, 1):  # one to wait for, as long as there are rabbits
            pass
        os._exit(0)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    end = time.monotonic() + PATIENCE
    born = 0
    while time.monotonic() < end:
        if os.fork() != 0:
            os._exit(0)
        born += 1
        if born == 20:
            os.write(writable, b"x")
    # Never reached where the chain is caught.
    os.write(1, b"BREACH: rabbit %d lives on\n" % born)
    os._exit(0)
os.read(readable, 1)
contained("a chain of processes runs; none may live after the verdict")
finish()

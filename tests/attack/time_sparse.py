# attack: stay in the kernel: have it walk through a file of 8 EiB that holds nothing (sendfile)
# expect: timeout
# limits: --timeout 2
# bare: host
import os
import signal
import sys

from hostile import PATIENCE, armed, breach, finish

file = os.memfd_create("nothing")
for length in ((1 << 63) - 4096, 1 << 43, 1 << 40):
    try:
        os.ftruncate(file, length)
        break
    except OSError:
        continue
null = os.open("/dev/null", os.O_WRONLY)


def stop(*_):
    breach("past the wall time")
    finish()


signal.signal(signal.SIGALRM, stop)
signal.setitimer(signal.ITIMER_REAL, PATIENCE)
armed(f"{length >> 40} TiB of zeros are next")
while True:
    for offset in range(0, length, 1 << 46):
        os.lseek(file, offset, os.SEEK_HOLE)
        os.sendfile(null, file, offset, min(length - offset, sys.maxsize - offset))

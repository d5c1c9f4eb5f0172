"""A slow wire between two machines: each frame takes its time, and some get lost. Not `tc qdisc … netem`, which many
kernels lack; the delays are real, and TCP sends again what is lost."""

import fcntl
import heapq
import os
import random
import select
import struct
import threading
import time

TUNSETIFF = 0x400454ca
IFF_TAP, IFF_NO_PI = 0x0002, 0x1000
FRAME = 65536  # more than any


def end_of(machine, name, address):
    """One end of the wire: what the machine sends into its device `name` is read from the descriptor, and the other way
    round. The device is there as long as that is open."""
    with machine.entered():
        fd = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
        fcntl.ioctl(fd, TUNSETIFF, struct.pack("16sH22x", name.encode(), IFF_TAP | IFF_NO_PI))
    machine.ip("addr", "add", f"{address}/24", "dev", name)
    machine.ip("link", "set", name, "up")
    return fd


class SlowWire:
    def __init__(self, ends, delay=0.05, jitter=0.02, loss=0.01):
        """`ends`: (machine, address) of both; `delay`, `jitter`: in seconds, of each way; `loss`: a frame's chance."""
        self._ends = [end_of(machine, "slow", address) for machine, address in ends]
        self._delay, self._jitter, self._loss = delay, jitter, loss
        self._over, self._wake = os.pipe()
        self.frames = self.lost = 0
        self._thread = threading.Thread(target=self._carry)
        self._thread.start()

    def _take(self, fd, under_way):
        """Frames go under way as they come, and may overtake each other."""
        while True:
            try:
                frame = os.read(fd, FRAME)
            except BlockingIOError:
                return
            self.frames += 1
            if random.random() < self._loss:
                self.lost += 1
                continue
            due = time.monotonic() + random.uniform(self._delay - self._jitter, self._delay + self._jitter)
            heapq.heappush(under_way, (due, self.frames, self._ends[fd == self._ends[0]], frame))

    def _carry(self):
        under_way = []
        while True:
            left = max(0, under_way[0][0] - time.monotonic()) if under_way else None
            readable, _, _ = select.select([*self._ends, self._over], [], [], left)
            if self._over in readable:
                return
            for fd in readable:
                self._take(fd, under_way)
            while under_way and under_way[0][0] <= time.monotonic():
                _, _, fd, frame = heapq.heappop(under_way)
                os.write(fd, frame)

    def remove(self):
        os.close(self._wake)
        self._thread.join()
        for fd in (*self._ends, self._over):
            os.close(fd)

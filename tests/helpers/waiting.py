"""Waiting, and how long a test may wait for what does not come. From the environment: SANDBOX_TEST_HANG, in seconds."""

import contextlib
import os
import signal
import subprocess
import time

SECONDS = int(os.environ.get("SANDBOX_TEST_HANG") or 600)


class Hang(Exception):
    pass


def _ring(_number, _frame):
    # Where each process stands is what will be asked for, and the test's own are about to be ended.
    subprocess.run(["ps", "-N", "--ppid=2", "--forest", "--cols=160", "-o", "pid,ppid,stat,wchan:32,args"], check=False)
    raise Hang(f"nothing happened for {SECONDS} s")


@contextlib.contextmanager
def watch():
    """Ends what runs inside by an exception, if it takes for ever. For the main thread."""
    before = signal.signal(signal.SIGALRM, _ring)
    signal.alarm(SECONDS)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


def until(condition):
    """Waits for what has no event to wait for. The alarm of the test ends it."""
    pause = 0.002
    while not condition():
        time.sleep(pause)
        pause = min(1.2 * pause, 0.02)  # most conditions look at every process

"""What is around every test, of whichever part."""

import fcntl
import os
import signal
import tempfile

import pytest

import hang


@pytest.fixture(scope="session", autouse=True)
def hangup():
    """Where nohup(1) ignores it, so would all that tests start; a handler, other than that, ends with execve."""
    if signal.getsignal(signal.SIGHUP) == signal.SIG_IGN:
        signal.signal(signal.SIGHUP, lambda *_: None)


@pytest.fixture(autouse=True)
def turn(request):
    """Tests run side by side, those marked `alone` by themselves, on the whole machine. The gate in
    front of the lock lets one that waits to be alone go before those that come later."""
    alone = request.node.get_closest_marker("alone")
    name = os.path.join(tempfile.gettempdir(), f"sandbox-run-test-{os.geteuid()}")
    with open(f"{name}.gate", "w") as gate, open(f"{name}.turn", "w") as lock:
        fcntl.flock(gate, fcntl.LOCK_EX)
        fcntl.flock(lock, fcntl.LOCK_EX if alone else fcntl.LOCK_SH)
        fcntl.flock(gate, fcntl.LOCK_UN)
        yield


@pytest.fixture(autouse=True)
def no_test_hangs(turn):
    with hang.watch():
        yield

"""What is around every test, of whichever part."""

import fcntl
import os
import pathlib
import signal
import tempfile

import pytest

pytest.register_assert_rewrite(*(path.stem for path in (pathlib.Path(__file__).parent / "helpers").glob("*.py")))

import waiting  # noqa: E402


def pytest_collection_modifyitems(items):
    """First what waits long, beside which the others run; last what has the machine for itself."""
    items.sort(key=lambda item: (not item.get_closest_marker("long"), bool(item.get_closest_marker("alone"))))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config, log):
    from xdist.scheduler import LoadScheduling

    class OneByOne(LoadScheduling):
        """Gives a worker its next tests when it has done its last, and not a part of all in advance: what takes long
        is then done by all workers."""

        def _send_tests(self, node, num):
            super()._send_tests(node, min(num, 2))  # it has to know the next one while it runs one

    return OneByOne(config, log)


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
    with waiting.watch():
        yield

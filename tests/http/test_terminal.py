"""A service that was started by hand, on a terminal."""

import os
import signal

import pytest

from waiting import until

pytestmark = pytest.mark.cold


@pytest.mark.parametrize("workers", [1, 2])
def test_ctrl_c_lets_jobs_come_to_their_end(serve, workers):
    """The terminal sends SIGINT to the whole process group, workers too."""
    server = serve(workers=workers, grace="1h", popen={"process_group": 0})
    held = server.hold().started()
    os.killpg(server.pid, signal.SIGINT)
    until(lambda: "stopping" in str(server.log))
    held.release()
    assert server.wait() == 0


def test_ctrl_c_twice_ends_them(serve):
    server = serve(workers=2, grace="1h", popen={"process_group": 0})
    held = server.hold().started()
    os.killpg(server.pid, signal.SIGINT)
    until(lambda: "stopping" in str(server.log))
    os.killpg(server.pid, signal.SIGINT)
    assert held.connection.answer().status == 503
    assert server.wait() == 0

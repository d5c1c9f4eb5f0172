"""A service whose jobs Redis keeps, from its start on: a Redis that is slow, or away."""

import pytest

from proxies import free_port
from redis_server import Slow
from waiting import until

pytestmark = pytest.mark.cold


def state(server, number):
    return server.get(f"/jobs/{number}?wait=60").json["state"]


def submit(server):
    """The id of a job that was accepted at the first try."""
    answer = server.post("/jobs", {"code": "print(6 * 7)"})
    assert answer.status == 202, answer
    return answer.json["id"]


# ── The start ──


@pytest.mark.parametrize("workers", [1, 2])
def test_a_service_that_listens_has_reached_redis(serve, redis, workers):
    slow = Slow(redis().socket, 0.4)
    server = serve(store=f"redis://127.0.0.1:{slow.port}", workers=workers)
    assert state(server, submit(server)) == "done"
    server.stop()
    slow.close()


def test_a_service_starts_without_redis_and_finds_it_later(serve, redis):
    port = free_port()
    server = serve(store=f"redis://127.0.0.1:{port}")
    refused = server.post("/jobs", {"code": "print(1)"})
    assert refused.status == 503 and "can't connect: Connection refused" in refused.json["error"], refused
    assert server.post("/run", {"code": "print(1)"}).json["output"] == "1"
    redis("--port", port)
    until(lambda: server.post("/jobs", {"code": "print(1)"}).status == 202)

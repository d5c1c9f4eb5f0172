"""The host's memory has a floor: below it no job is started, and the one that grew last is ended."""

import pathlib
import re

import pytest

from waiting import until

MIB = 1 << 20
# More than a limit holds back: in the test's place, what nobody counts.
GROW = """
kept = []
while len(kept) < 1600:
    kept.append(bytearray(b"x" * (1 << 20)))
print("grown")
"""


def available():
    meminfo = pathlib.Path("/proc/meminfo").read_text()
    return int(re.search(r"^MemAvailable:\s+(\d+)", meminfo, re.MULTILINE)[1]) * 1024


def test_below_it_no_job_is_started_and_health_says_why(serve):
    server = serve(memory_floor="1000G")
    answer = server.post("/run", {"code": "print(1)"})
    assert answer.status == 503 and int(answer.headers["Retry-After"]) >= 1
    assert "less than its floor of 1024000 MiB" in answer.error
    health = server.get("/health")
    assert health.status == 503 and health.json["status"] == "unhealthy"
    assert "memory left, less than its floor" in health.json["error"]
    assert server.metric("sandbox_refused_total", "memory") == 1
    until(lambda: any("--memory-floor" in record.get("message", "") for record in server.log.records))


@pytest.mark.parametrize("path", ["/run_code", "/execute"])
def test_every_endpoint_says_so(serve, path):
    answer = serve(memory_floor="1000G").post(path, {"code": "print(1)"})
    assert answer.status == 503 and answer.json["error"] and int(answer.headers["Retry-After"]) >= 1


def test_above_it_nobody_notices(serve):
    server = serve(memory_floor="1")
    assert server.run("print(1)")["output"] == "1"
    assert server.get("/health").json == {"status": "healthy"}


@pytest.mark.alone
def test_the_job_that_grew_last_is_ended_and_the_others_go_on(serve):
    """With as much of the host's memory as the host can spare."""
    if available() < 4096 * MIB:
        pytest.skip("less than 4 GiB of memory are left")
    server = serve(memory_floor=available() - 1024 * MIB, jobs=4)
    held = [server.hold().started(), server.hold().started()]
    answer = server.post("/run", {"code": GROW, "policy": "default", "limits": {"memory_bytes": 2048 * MIB}})
    assert answer.status == 503 and int(answer.headers["Retry-After"]) >= 1
    assert answer.json["verdict"] == "internal"
    assert "the host was running out of memory" in answer.error
    until(lambda: server.get("/health").status == 200)
    assert server.run("print('again')")["output"] == "again"
    for each in held:
        each.release()

"""GET /ready, --agent and --linger: what a load balancer is told, and how a service leaves it without losing a request."""

import os
import re
import signal
import socket
import subprocess

import pytest

from http_client import bearer
from processes import living, process_table
from sandbox_run import CHECKOUT
from sandbox_serve import SERVE, command, isolated, network_of, says
from test_health import python_of, rootfs  # noqa: F401
from test_stop import RUN, hear, manager, refuses  # noqa: F401
from waiting import until

pytestmark = pytest.mark.cold


def check(server):
    """The line of the server's agent."""
    said = server.log.wait(says("answering agent checks on "))["message"].rpartition(" ")[2]
    if said.startswith("unix:"):
        connected = socket.socket(socket.AF_UNIX)
        connected.connect(said.removeprefix("unix:"))
    else:
        host, _, port = said.removeprefix("tcp://").rpartition(":")
        connected = socket.create_connection((host.strip("[]"), int(port)))
    with connected, connected.makefile("r") as lines:
        return lines.read()


def readiness(server):
    answer = server.get("/ready")
    assert (answer.status == 200) == answer.json["ready"] == ("reason" not in answer.json), answer
    return answer.json


# ── GET /ready ───────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("workers", [1, 2])
def test_it_tells_what_runs_and_waits_in_all_workers(serve, workers):
    server = serve(jobs=4, workers=workers)
    assert readiness(server) == {"ready": True, "running": 0, "slots": 4, "queued": 0, "memory_promised_bytes": 0}
    held = server.hold(limits={"memory_bytes": 64 << 20}).started()
    for _ in range(8):  # whichever worker answers
        assert readiness(server) == {"ready": True, "running": 1, "slots": 4, "queued": 0,
                                     "memory_promised_bytes": 64 << 20}
    assert server.metric("sandbox_ready") == 1
    held.release()
    until(lambda: readiness(server)["running"] == 0)


def test_nobody_needs_a_token_for_it(serve, token):
    alice = token("alice")
    server = serve(tokens=token.file)
    assert server.get("/ready").status == 200 == server.get("/ready", bearer(alice)).status
    assert server.post("/run", RUN).status == 401


def test_with_a_full_queue_it_is_not_ready_until_there_is_room(serve):
    server = serve(jobs=1, queue=1)
    held = server.hold().started()
    assert readiness(server)["ready"]
    waits = server.send("POST", "/run", RUN)
    until(lambda: readiness(server)["queued"] == 1)
    assert readiness(server)["reason"] == "the queue is full" and server.metric("sandbox_ready") == 0
    assert server.get("/health").status == 200
    held.release()
    assert waits.answer().status == 200
    until(lambda: readiness(server)["ready"])
    assert server.metrics()["sandbox_refused_total", "queue_full"] == 0


def test_without_a_queue_it_is_ready_while_a_slot_is_free(serve):
    server = serve(jobs=1, queue=0)
    assert readiness(server)["ready"]
    held = server.hold().started()
    assert readiness(server)["reason"] == "the queue is full"
    held.release()
    until(lambda: readiness(server)["ready"])


@pytest.mark.parametrize("workers", [1, 2])
def test_when_jobs_cannot_run_it_is_not_ready_until_they_can(serve, rootfs, workers):  # noqa: F811
    """Nobody asks the workers' /health: each finds out by itself that jobs run again."""
    server = serve(rootfs=rootfs, workers=workers, agent="127.0.0.1:0")
    python = python_of(rootfs)
    python.rename(python.with_suffix(".away"))
    until(lambda: not readiness(server)["ready"])
    assert "exec" in readiness(server)["reason"] and check(server) == "down\n"
    python.with_suffix(".away").rename(python)
    until(lambda: readiness(server)["ready"])
    assert check(server) == "up ready 100%\n"


def test_a_job_that_the_sandbox_failed_makes_it_look_at_once(serve, rootfs):  # noqa: F811
    server = serve(rootfs=rootfs)
    python = python_of(rootfs)
    python.rename(python.with_suffix(".away"))
    assert server.post("/run", RUN).status == 500
    server.log.wait(says("no job can run"))
    assert not readiness(server)["ready"]
    python.with_suffix(".away").rename(python)
    until(lambda: server.metric("sandbox_ready") == 1)


# ── --agent ──────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("workers", [1, 2])
@pytest.mark.parametrize("where", ["127.0.0.1:0", "[::1]:0", "unix:"])
def test_the_agent_tells_the_free_share_of_the_slots(serve, tmp_path, where, workers):
    server = serve(jobs=4, workers=workers, agent=where if where != "unix:" else f"unix:{tmp_path}/agent")
    assert check(server) == "up ready 100%\n"
    held = [server.hold().started()]
    assert check(server) == "up ready 75%\n"
    if workers == 1:  # each of several has its own slots
        held += [server.hold().started() for _ in range(3)]
        until(lambda: check(server) == "up ready 1%\n")
    for each in held:
        each.release()
    until(lambda: check(server) == "up ready 100%\n")
    server.stop()
    assert list(tmp_path.glob("agent")) == []


def test_a_check_that_sends_something_is_answered_too(serve):
    server = serve(agent="127.0.0.1:0")
    port = int(server.log.wait(says("agent checks"))["message"].rpartition(":")[2])
    for _ in range(40):  # more than are answered at once
        with socket.create_connection(("127.0.0.1", port)) as connected:
            connected.sendall(b"sandbox\n" * 10)
            assert connected.makefile("r").read() == "up ready 100%\n"


def test_clients_of_the_agent_that_read_nothing_cost_nothing(serve):
    server = serve(agent="127.0.0.1:0")
    port = int(server.log.wait(says("agent checks"))["message"].rpartition(":")[2])
    before = server.descriptors()
    idle = [socket.create_connection(("127.0.0.1", port)) for _ in range(100)]
    assert check(server) == "up ready 100%\n"
    until(lambda: server.descriptors() == before)
    for each in idle:
        each.close()


def test_other_hosts_may_ask_the_agent_without_a_token_though_they_may_run_nothing(launch):
    server = launch(isolated(command(agent="0.0.0.0:8001", cold=True))).listening()
    with network_of(server), socket.create_connection(("192.0.2.1", 8001), source_address=("192.0.2.2", 0)) as asked:
        assert asked.makefile("r").read() == "up ready 100%\n"
    server.stop()


@pytest.mark.parametrize("where, said", [("8001", "HOST:PORT"), ("unix:agent", "absolute path"),
                                         ("127.0.0.1:99999", "HOST:PORT")])
def test_a_wrong_address_of_the_agent_is_told(refused, where, said):
    assert said in refused(agent=where)


def test_when_a_worker_hangs_another_answers_the_agent(serve):
    server = serve(agent="127.0.0.1:0", workers=2, jobs=2)
    stopped = next(pid for pid, parent in process_table().items() if parent == server.pid)
    os.kill(stopped, signal.SIGSTOP)
    for _ in range(20):
        assert check(server) == "up ready 100%\n"
    os.kill(stopped, signal.SIGCONT)


# ── --linger ─────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("workers", [1, 2])
def test_while_it_lingers_it_serves_on_and_says_that_it_is_about_to_stop(serve, workers):
    server = serve(linger="1h", agent="127.0.0.1:0", workers=workers, jobs=4)
    assert server.metric("sandbox_lingering") == 0
    connection = server.connect().ask("GET", "/health")
    assert "Connection" not in connection.answer().headers
    server.signal(signal.SIGTERM)
    server.log.wait(says("about to stop: requests are served for 3600.000 s more"), workers)
    assert readiness(server)["reason"] == "the service is about to stop"
    assert check(server) == "drain\n" and server.get("/health").json == {"status": "healthy"}
    assert (server.metric("sandbox_lingering"), server.metric("sandbox_ready")) == (1, 0)
    # One that was idle is not cut: it is asked to close after its next answer.
    answer = connection.ask("POST", "/run", RUN).answer()
    assert answer.json["output"] == "RAN" and answer.headers["Connection"] == "close"
    assert connection.ended()
    for number in range(8):
        assert server.run(f"print({number})")["output"] == str(number)
    server.signal(signal.SIGTERM)
    assert server.wait() == 0


@pytest.mark.parametrize("workers", [1, 2])
def test_after_the_linger_it_stops_as_it_would_without(serve, workers):
    server = serve(linger="300ms", grace="1h", agent="127.0.0.1:0", workers=workers, jobs=2)
    held = server.hold().started()
    server.signal(signal.SIGTERM)
    until(lambda: refuses(server))
    assert check(server) == "drain\n"
    held.release()
    assert server.wait() == 0


def test_a_second_sigterm_ends_the_linger_and_a_third_the_jobs(serve):
    server = serve(linger="1h", grace="1h")
    held = server.hold().started()
    server.signal(signal.SIGTERM)
    server.log.wait(says("about to stop"))
    assert server.run("print(1)")["output"] == "1"
    server.signal(signal.SIGTERM)
    until(lambda: refuses(server))
    assert held.pid() is not None
    server.signal(signal.SIGTERM)
    assert held.connection.answer().json["verdict"] == "signal"
    assert server.wait() == 0


def test_a_worker_that_dies_while_the_service_lingers_takes_no_more_connections(serve):
    server = serve(linger="1h", workers=2, jobs=2)
    server.signal(signal.SIGTERM)
    server.log.wait(says("about to stop"), 2)
    victim = next(pid for pid, parent in process_table().items() if parent == server.pid)
    os.kill(victim, signal.SIGKILL)
    until(lambda: not living({victim}) and victim not in process_table())
    for number in range(20):
        assert server.run(f"print({number})")["output"] == str(number)
    server.signal(signal.SIGTERM)
    assert server.wait() == 0


@pytest.mark.parametrize("workers", [1, 2])
def test_systemd_is_told_how_long_stopping_may_take(serve, manager, workers):  # noqa: F811
    """TimeoutStopSec= of the unit need not be longer than --linger and --grace."""
    server = serve(env={"NOTIFY_SOCKET": manager.getsockname()}, workers=workers, linger="2m", grace="1m")
    server.signal(signal.SIGTERM)
    said = hear(manager, "STOPPING=1")
    extended, = [int(line.partition("=")[2]) for line in said if line.startswith("EXTEND_TIMEOUT_USEC=")]
    assert extended >= (120 + 60 + 5) * 1_000_000
    server.signal(signal.SIGTERM)  # before all workers have seen the first one: it counts nevertheless
    assert server.wait() == 0


def test_the_unit_allows_for_what_serve_conf_has_by_default():
    unit = (CHECKOUT / "src/serve/units/sandbox-serve.service.in").read_text()
    conf = (CHECKOUT / "src/serve/units/serve.conf").read_text()
    seconds = {name: int(re.search(rf"^#{name} = (\d+)s?$", conf, re.M)[1]) for name in ("linger", "grace")}
    assert int(re.search(r"^TimeoutStopSec=(\d+)s$", unit, re.M)[1]) > sum(seconds.values()) + 5


def test_help_says_that_bounds_of_tokens_are_per_node():
    said = subprocess.run([SERVE, "token", "add", "--help"], capture_output=True, text=True, check=True).stdout
    assert "each node" in " ".join(said.split())

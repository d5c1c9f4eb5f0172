"""Warm starts in the service: nobody notices but by the time that it takes, whatever becomes of the zygotes."""

import os
import pathlib
import signal

import pytest

from conftest import SANITIZED, integration, until

MANY = 40 if integration.QUICK or SANITIZED else 150
# Policies of which the service's own root file system has all that they preload.
READY = 5


def zygotes(server):
    """The pids of the processes that jobs are forked from."""
    found = []
    for pid in integration.living(integration.descendants(server.pid)):
        try:
            words = pathlib.Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
            namespace = os.readlink(f"/proc/{pid}/ns/pid")
        except OSError:
            continue
        # A child of one has its command line, but a pid namespace of its own.
        if words[1:2] == [b"-c"] and words[2].startswith(b'"""A zygote') and namespace == os.readlink("/proc/self/ns/pid"):
            found.append(pid)
    return found


@pytest.fixture
def ready(serve):
    """ready(…) starts a server and waits until its interpreters are there."""
    def start(zygotes_wanted=READY, **chosen):
        server = serve(**chosen)
        until(lambda: server.metric("sandbox_warm_zygotes") >= zygotes_wanted and server.metric("sandbox_warm_parked") > 0)
        return server
    return start


def test_jobs_start_warm_once_the_interpreters_are_there(ready):
    assert ready().run("print(1)")["enforcement"]["start"] == "warm"


def test_told_to_start_cold_it_keeps_no_interpreters(serve):
    server = serve(cold=True)
    assert server.run("print(1)")["enforcement"]["start"] == "cold"
    assert (zygotes(server), server.metric("sandbox_warm_zygotes")) == ([], 0)


def test_with_zygotes_killed_under_load_each_request_is_answered_once(ready):
    server = ready(jobs=4, queue=MANY, queue_time="5m")
    asked = {number: server.send("POST", "/run", {"code": f"print({number})"}) for number in range(MANY)}
    killed = 0
    for number, connection in asked.items():
        if number % 10 == 0:
            for pid in zygotes(server):
                os.kill(pid, signal.SIGKILL)
                killed += 1
        answer = connection.answer()
        assert (answer.status, answer.json["verdict"], answer.json["output"]) == (200, "ok", str(number))
        assert connection.answer() is None
    assert killed >= READY
    until(lambda: server.metric("sandbox_warm_zygotes") >= READY)
    until(lambda: server.run("print(1)")["enforcement"]["start"] == "warm")


def test_parked_children_that_are_killed_are_replaced(ready):
    server = ready()
    family = set(zygotes(server))
    for pid in integration.living(integration.descendants(server.pid)) - family:
        os.kill(pid, signal.SIGKILL)
    for number in range(20):
        assert server.run(f"print({number})")["output"] == str(number)
    until(lambda: server.metric("sandbox_warm_parked") > 0)
    assert set(zygotes(server)) == family


def test_a_zygote_is_renewed_without_a_cold_start(ready):
    server = ready(renew_jobs=5, jobs=1)
    before = set(zygotes(server))
    for number in range(40):
        assert server.run("print(1)")["enforcement"]["start"] == "warm", number
    until(lambda: len(zygotes(server)) == len(before) and set(zygotes(server)) != before)


def test_a_reload_gives_new_interpreters_and_ends_the_old_ones(ready, policies):
    server = ready(policies=policies())
    before = set(zygotes(server))
    policies(run={"environment": {"COLOUR": "blue"}})
    server.signal(signal.SIGHUP)
    until(lambda: server.run("import os; print(os.environ.get('COLOUR'))")["output"] == "blue")
    until(lambda: server.metric("sandbox_warm_zygotes") >= READY and not before & set(zygotes(server)))
    answer = server.run("import os; print(os.environ.get('COLOUR'))")
    assert (answer["output"], answer["enforcement"]["start"]) == ("blue", "warm")


def test_what_a_policy_preloads_and_nobody_has_leaves_its_jobs_a_cold_start(ready, policies):
    server = ready(READY - 1, policies=policies(run={"preload": ["no_such_module"]}))
    assert server.run("print(1)")["enforcement"]["start"] == "cold"
    assert server.run("print(1)", policy="default")["enforcement"]["start"] == "warm"


def test_a_request_with_limits_of_its_own_gets_them_warm(ready):
    server = ready()
    answer = server.run("import resource; print(resource.getrlimit(resource.RLIMIT_NOFILE)[0], flush=True); b'x' * 100_000_000",
                        limits={"open_files": 33, "memory_bytes": 64 << 20})
    assert (answer["stdout"], answer["verdict"], answer["enforcement"]["start"]) == ("33\n", "memory", "warm")

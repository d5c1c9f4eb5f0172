"""--workers: several processes have one queue, and one count of jobs and memory; and connections are spread over them."""

import contextlib
import os
import pathlib
import selectors
import signal

import pytest

from http_client import bearer
from overlap import SLEEP, most_at_once
from processes import descendants, living, process_table
from sandbox_run import QUICK
from sandbox_serve import SANITIZED
from streams import Stream
from waiting import until

pytestmark = pytest.mark.cold

MIB = 1 << 20


def workers_of(server):
    return {pid for pid, parent in process_table().items() if parent == server.pid and pid in living({pid})}


def worker_of(server, held):
    return next(pid for pid in workers_of(server) if held.pid() in descendants(pid))


def waiting(server, count):
    until(lambda: server.metric("sandbox_queue_length") == count)


def running(server, count):
    until(lambda: server.metric("sandbox_jobs_running") == count)


def test_a_worker_runs_as_many_jobs_as_all_may(serve):
    """Of 24 connections, hardly ever have all four workers six each: a fixed share would leave places empty."""
    server = serve(workers=4, jobs=24, memory="64G")
    held = [server.hold() for _ in range(24)]
    running(server, 24)
    assert server.metric("sandbox_jobs_max") == 24
    held.append(server.hold())
    waiting(server, 1)
    for each in held:
        each.release()


def test_there_may_be_more_workers_than_jobs(serve):
    server = serve(workers=4, jobs=1)
    asked = [server.send("POST", "/run", {"code": SLEEP}) for _ in range(16)]
    assert most_at_once([connection.answer() for connection in asked]) == 1


def test_memory_is_promised_once_over_all_workers(serve):
    server = serve(workers=4, jobs=16, memory="700M")
    half = {"memory_bytes": 300 * MIB}
    held = [server.hold(limits=half) for _ in range(8)]
    running(server, 2)
    waiting(server, 6)
    assert server.metric("sandbox_memory_promised_bytes") == 600 * MIB
    assert server.metric("sandbox_memory_promised_max_bytes") == 700 * MIB
    for _ in range(8):
        until(lambda: any(each.pids() for each in held))
        first = next(each for each in held if each.pids())
        first.release()
        held.remove(first)
    answer = server.post("/run", {"code": "1", "policy": "default", "limits": {"memory_bytes": 701 * MIB}})
    assert answer.status == 400 and "700" in answer.error


def test_a_tokens_jobs_at_once_are_counted_over_all_workers(serve, token):
    mine, other = token("mine", jobs=3), token("other")
    server = serve(workers=4, jobs=16, memory="64G", tokens=token.file)
    held = [server.hold(bearer(mine)) for _ in range(12)]
    until(lambda: server.metrics(bearer(other))[("sandbox_jobs_running",)] == 3)
    until(lambda: server.metrics(bearer(other))[("sandbox_queue_length",)] == 9)
    assert server.run("print('free')", bearer(other))["output"] == "free"
    for _ in range(12):
        until(lambda: any(each.pids() for each in held))
        first = next(each for each in held if each.pids())
        first.release()
        held.remove(first)


def test_the_queue_is_one(serve):
    server = serve(workers=4, jobs=1, queue=6)
    held = server.hold().started()
    asked = [server.send("POST", "/run", {"code": "print('ran')"}) for _ in range(6)]
    waiting(server, 6)
    for _ in range(8):
        answer = server.post("/run", {"code": "print('ran')"})
        assert answer.status == 503 and int(answer.headers["Retry-After"]) >= 1
    held.release()
    assert [connection.answer().json["output"] for connection in asked] == ["ran"] * 6


def test_requests_start_in_the_order_in_which_they_came_whichever_worker_has_them(serve):
    server = serve(workers=4, jobs=1)
    held = server.hold().started()
    asked = []
    for number in range(12):
        asked.append(server.send("POST", "/run", {"code": f"print({number})"}, {"X-Request-Id": f"request-{number}"}))
        waiting(server, number + 1)
    held.release()
    assert all(connection.answer().status == 200 for connection in asked)
    assert [record["id"] for record in server.log.jobs(13)][1:] == [f"request-{number}" for number in range(12)]


def test_one_client_with_many_requests_in_all_workers_does_not_keep_another_waiting(serve, token):
    greedy, modest = token("greedy"), token("modest")
    server = serve(workers=4, jobs=1, tokens=token.file)
    held = server.hold(bearer(greedy)).started()
    many = [server.send("POST", "/run", {"code": "pass"}, bearer(greedy)) for _ in range(24)]
    until(lambda: server.metrics(bearer(modest))[("sandbox_queue_length",)] == 24)
    one = server.send("POST", "/run", {"code": "pass"}, bearer(modest))
    assert one.answer().status == 200  # beside the bound, since it has no job running
    held.release()
    assert all(connection.answer().status == 200 for connection in many)


def test_the_place_in_the_one_queue_is_told(serve):
    server = serve(workers=4, jobs=1)
    held = server.hold().started()
    streams = []
    for number in range(6):
        streams.append(Stream(server, f"print({number})"))
        assert streams[-1].until("start")["queued"] == number + 1
    held.release()
    for number, stream in enumerate(streams):
        assert stream.until("verdict")["output"] == str(number)
        stream.connection.close()


def test_what_waits_is_refused_after_its_time(serve):
    server = serve(workers=3, jobs=1, queue_time="300ms")
    held = server.hold().started()
    asked = [server.send("POST", "/run", {"code": "print('ran')"}) for _ in range(9)]
    for connection in asked:
        answer = connection.answer()
        # One is a client's first when the held one has ended; none here.
        assert answer.status == 503 and "too long" in answer.error
    held.release()


def test_who_leaves_the_queue_makes_room(serve):
    server = serve(workers=4, jobs=1, queue=4)
    held = server.hold().started()
    asked = [server.send("POST", "/run", {"code": "print('ran')"}) for _ in range(4)]
    waiting(server, 4)
    for connection in asked[:3]:
        connection.close()
    waiting(server, 1)
    asked[:3] = [server.send("POST", "/run", {"code": "print('ran')"}) for _ in range(3)]
    waiting(server, 4)
    held.release()
    assert [connection.answer().json["output"] for connection in asked] == ["ran"] * 4


def test_what_a_killed_worker_held_and_awaited_comes_back(serve):
    server = serve(workers=3, jobs=4, memory="64G")
    held = [server.hold() for _ in range(24)]
    running(server, 4)
    waiting(server, 20)
    until(lambda: any(each.pids() for each in held))
    victim = worker_of(server, next(each for each in held if each.pids()))
    os.kill(victim, signal.SIGKILL)
    left = []
    for each in held:
        each.connection.socket.setblocking(True)
    with selectors.DefaultSelector() as selector:
        for each in held:
            selector.register(each.connection.socket, selectors.EVENT_READ, each)
        until(lambda: len(workers_of(server)) == 3 and victim not in workers_of(server))
        gone = [key.data for key, _ in selector.select(0)]
    left = [each for each in held if each not in gone]
    for each in gone:
        each.connection.close()
    assert gone and len(left) + len(gone) == 24
    running(server, min(4, len(left)))
    waiting(server, max(0, len(left) - 4))
    while left:
        until(lambda: any(each.pids() for each in left))
        first = next(each for each in left if each.pids())
        first.release()
        left.remove(first)
    last = [server.hold() for _ in range(4)]
    running(server, 4)
    for each in last:
        each.release()


@pytest.mark.slow
@pytest.mark.parametrize("jobs", [12, 200])
def test_clients_that_keep_their_connections_get_as_many_answers_as_each_other(serve, jobs):
    """Sixteen workers on this host, and 64 connections that ask again as soon as they have an answer."""
    each = 5 if QUICK or SANITIZED else 15
    server = serve(workers=16, jobs=jobs, memory="64G", queue=1000, queue_time="10m")
    connections = [server.connect() for _ in range(64)]
    answers = dict.fromkeys(connections, 0)
    with selectors.DefaultSelector() as selector:
        for connection in connections:
            connection.ask("POST", "/run", {"code": "pass"})
            selector.register(connection.socket, selectors.EVENT_READ, connection)
        while sum(answers.values()) < each * len(connections):
            for key, _ in selector.select():
                assert key.data.answer().status == 200
                answers[key.data] += 1
                key.data.ask("POST", "/run", {"code": "pass"})
    for connection in connections:
        connection.close()
    assert 0.8 * each <= min(answers.values()) and max(answers.values()) <= 1.2 * each, sorted(answers.values())


def sockets_of(pid):
    return sum(os.readlink(link).startswith("socket:") for link in pathlib.Path(f"/proc/{pid}/fd").iterdir())


@pytest.mark.parametrize("kind", ["TCP", "UNIX"])
def test_connections_are_spread_over_the_workers(serve, tmp_path, kind):
    """With a hash (SO_REUSEPORT), or to whom is woken first, some had none and one had half of them."""
    server = serve(workers=8, **({"listen": f"unix:{tmp_path}/socket"} if kind == "UNIX" else {}))
    workers = [pid for pid in workers_of(server) if "sandbox-serve" in pathlib.Path(f"/proc/{pid}/cmdline").read_text()]
    before = {pid: sockets_of(pid) for pid in workers}
    with contextlib.ExitStack() as stack:
        for connection in [stack.enter_context(server.connect()) for _ in range(64)]:
            assert connection.ask("GET", "/version").answer().status == 200
        have = sorted(sockets_of(pid) - before[pid] for pid in workers)
        assert sum(have) == 64 and 8 - 5 <= have[0] and have[-1] <= 8 + 5, have

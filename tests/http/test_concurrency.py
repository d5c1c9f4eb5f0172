"""Many requests at once: each is answered once with its own output, and nothing is lost or left behind."""

import os
import pathlib
import re
import select
import signal

import pytest

from processes import status_of
from sandbox_run import QUICK
from sandbox_serve import POLICIES, SANITIZED
from waiting import until

MANY = 60 if QUICK or SANITIZED else 200


def code_of(number):
    return f"print({number}, '{number}' * 50)"


def output_of(number):
    return f"{number} {str(number) * 50}"


@pytest.mark.slow
def test_each_of_many_requests_at_once_is_answered_once_with_its_own_output(serve):
    server = serve(jobs=4, queue=MANY, queue_time="5m")
    asked = {number: server.send("POST", "/run", {"code": code_of(number)}, {"X-Request-Id": f"request-{number}"})
             for number in range(MANY)}
    for number, connection in asked.items():
        answer = connection.answer()
        assert (answer.json["output"], answer.json["id"]) == (output_of(number), f"request-{number}")
        assert connection.answer() is None  # and then it closes: nothing more came
    ids = [record["id"] for record in server.log.jobs(MANY)]
    assert sorted(ids) == sorted(f"request-{number}" for number in range(MANY))


def test_clients_that_keep_their_connections_get_their_own_answers(serve):
    server = serve(jobs=4)
    connections = [server.connect() for _ in range(10)]
    for turn in range(5):
        for number, connection in enumerate(connections):
            connection.ask("POST", "/run", {"code": code_of(100 * turn + number)})
        for number, connection in enumerate(connections):
            assert connection.answer().json["output"] == output_of(100 * turn + number)


@pytest.mark.slow
@pytest.mark.parametrize("start, parked", [("cold", 0), ("warm", 4)])
def test_the_servers_descriptors_are_no_more_afterwards(serve, policies, start, parked):
    """Of interpreters that wait for a job there are `parked` when none has come for long; a reload forgets what came."""
    directory = policies(**{path.stem: {"start": "cold", "preload": []} for path in POLICIES.glob("*.json")})
    policies(run={"start": start})
    server = serve(jobs=4, queue=MANY, queue_time="5m", policies=directory)
    server.run("pass")
    until(lambda: server.metric("sandbox_warm_parked") == parked)
    until(lambda: server.metric("sandbox_http_connections") == 1)
    before = server.descriptors()
    asked = [server.send("POST", "/run", {"code": code_of(number)}) for number in range(MANY)]
    for number, connection in enumerate(asked):
        if number % 5 == 4:
            connection.close()
        else:
            answer = connection.answer()
            assert (answer.status, answer.json["enforcement"]["start"]) == (200, start)
            connection.close()
    for body in (b"{", b"", b'{"code": 1}'):
        server.post("/run", body)
    with server.connect() as half:
        half.send(b"POST /run HTTP/1.1\r\nHost: x")
    until(lambda: server.metric("sandbox_jobs_running") == server.metric("sandbox_queue_length") == 0)
    server.signal(signal.SIGHUP)
    until(lambda: server.metric("sandbox_warm_parked") == parked)
    until(lambda: server.metric("sandbox_http_connections") == 1)
    until(lambda: server.descriptors() <= before)


def test_a_job_that_floods_its_output_does_not_hold_up_others(serve):
    server = serve(jobs=2)
    with server.send("POST", "/run_code", {"code": "while True: print('x' * 10000)"}) as flood:
        until(lambda: server.metric("sandbox_jobs_running") == 1)
        for number in range(20):
            assert server.run(code_of(number))["output"] == output_of(number)
        assert select.select([flood.socket], [], [], 0)[0] == [], "the flood had ended: nothing was shown"


@pytest.mark.skipif(SANITIZED, reason="sanitizers bind calls later")
@pytest.mark.skipif(os.geteuid() != 0, reason="only root may look at a job's first process")
@pytest.mark.parametrize("workers", [1, 2])
def test_a_jobs_first_process_has_nothing_of_the_services_libraries(serve, workers):
    """Its memory is the service's, a clone of it: it has the less of both, time and secrets."""
    server = serve(cold=True, workers=workers)
    held = server.hold().started()
    first = int(status_of(held.pid())["PPid"])
    libraries = set(re.findall(r"/(lib\w+)[^/]*\.so", pathlib.Path(f"/proc/{first}/maps").read_text()))
    assert "libc" in libraries and not libraries & {"libmicrohttpd", "libgnutls", "libnettle"}
    held.release()


def test_many_large_answers_come_whole(serve):
    server = serve(jobs=4)
    asked = [server.send("POST", "/run", {"code": f"print('{number}' * 900_000)"}) for number in range(8)]
    for number, connection in enumerate(asked):
        assert connection.answer().json["output"] == str(number) * 900_000


@pytest.mark.slow
@pytest.mark.parametrize("workers", [2])
def test_workers_share_the_requests_and_none_is_lost(serve, workers):
    # Each worker has its part of the queue, and the kernel does not share connections out evenly.
    server = serve(jobs=4, queue=4 * MANY, workers=workers, queue_time="5m")
    asked = [server.send("POST", "/run", {"code": code_of(number)}) for number in range(MANY)]
    assert [connection.answer().json["output"] for connection in asked] == list(map(output_of, range(MANY)))

"""Graded runs that outlast a connection: POST /jobs with "cases"."""

import signal
import sqlite3

import pytest

from callbacks import check_signature
from http_client import bearer
from sandbox_serve import says
from stored_jobs import NESTED, Events, HeldJob, ended, job, submit
from streams import NDJSON, SSE
from waiting import until

DOUBLE = "print(2 * int(input()))"


def doubles(count):
    return [{"stdin": f"{i}\n", "expected": {"stdout": f"{2 * i}\n"}} for i in range(count)]


def held_cases(server, count, **fields):
    """A stored graded run whose cases each wait until the test lets them go on."""
    return HeldJob(server, cases=[{}] * count, **fields)


def let_all_go(held, count):
    """One after the other, as the service has a place for one job. Each has printed by then that it has been let go."""
    ids = [f"{held.id}.{index}" for index in range(count)]
    for number in ids:
        held.let_go()
        held._server.log.wait(lambda record: record.get("id") == number and record.get("verdict") == "ok")


# ── The answer ───────────────────────────────────────────────────────────────────────────────────


def alike(answer):
    """Without what differs from run to run."""
    return {name: [alike(case) for case in value] if name == "cases" else value
            for name, value in answer.items() if name not in ("usage", "enforcement", "id")}


def test_its_answer_is_that_of_run(kept):
    request = {"cases": [*doubles(5), {"name": "none"}, {"stdin": "x", "expected": {"stdout": "1"}}, *doubles(3)]}
    direct = kept.run(DOUBLE, **request)
    number = submit(kept, DOUBLE, **request)
    found = ended(kept, number)
    assert (found["state"], found["status"], found["tries"]) == ("done", 200, 1)
    assert alike(found["answer"]) == alike(direct) and found["answer"]["passed"] == 8
    assert [case["id"] for case in found["answer"]["cases"]] == [f"{number}.{index}" for index in range(10)]


def test_the_status_is_that_of_the_worst_case(kept):
    found = ended(kept, submit(kept, "while input(): pass", cases=[{}, {"stdin": "1\n"}]))
    direct = kept.post("/run", {"code": "while input(): pass", "cases": [{}, {"stdin": "1\n"}]})
    assert found["status"] == direct.status and found["answer"]["verdict"] == direct.json["verdict"] == "exception"


def test_the_first_failure_stops_the_rest(kept):
    found = ended(kept, submit(kept, "1/0", cases=[{}] * 30, stop="first-failure"))
    verdicts = [case["verdict"] for case in found["answer"]["cases"]]
    assert "exception" in verdicts[:2] and verdicts[3:] == [None] * 27 and found["answer"]["verdict"] == "exception"


def test_a_thousand_cases_are_one_job_of_the_store(kept):
    number = submit(kept, DOUBLE, cases=doubles(1000))
    assert ended(kept, number)["answer"]["passed"] == 1000
    assert [each["id"] for each in kept.get("/jobs").json["jobs"]] == [number]


def test_a_form_with_shared_files_is_taken_as_by_run(kept):
    body = (b"--x\r\nContent-Disposition: form-data; name=\"code\"\r\n\r\nprint(open('d').read() + input())\r\n"
            b"--x\r\nContent-Disposition: form-data; name=\"request\"\r\n\r\n{\"cases\": [{\"stdin\": \"1\"}, {\"stdin\": \"2\"}]}\r\n"
            b"--x\r\nContent-Disposition: form-data; name=\"f\"; filename=\"d\"\r\n\r\n" + b"x" * 300_000 + b"\r\n--x--\r\n")
    answer = kept.post("/jobs", body, {"Content-Type": "multipart/form-data; boundary=x"})
    assert answer.status == 202, answer
    cases = ended(kept, answer.json["id"])["answer"]["cases"]
    assert [case["output"][-2:] for case in cases] == ["x1", "x2"]


def test_output_that_is_asked_for_in_base64_comes_so(kept):
    number = submit(kept, "print(input())", base64=True, cases=[{"stdin": "a"}])
    assert ended(kept, number)["answer"]["cases"][0]["stdout"] == "YQo="


def test_a_value_that_is_nested_as_deeply_as_can_be_is_in_the_answer(kept, deep_json):
    number = submit(kept, NESTED, call="main", cases=[{}])
    assert kept.get(f"/jobs/{number}?wait=60").body.count(b"[" * 1000) == 2


# ── Events ───────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("accept", [SSE, NDJSON])
def test_the_events_of_one_that_has_ended_have_its_cases(kept, accept):
    number = submit(kept, DOUBLE, cases=doubles(3))
    answer = ended(kept, number)["answer"]
    with Events(kept, number, accept) as stream:
        events = list(stream.events())
    assert [name for name, _ in events] == ["start", "case", "case", "case", "verdict"]
    assert events[-1][1] == answer
    assert [data for name, data in events if name == "case"] == [
        {"index": index} | case for index, case in enumerate(answer["cases"])]


def test_numbers_in_events_are_those_of_the_answer(kept):
    number = submit(kept, "def main(): return [10**30, 1.50]", call="main", cases=[{}])
    ended(kept, number)
    with Events(kept, number, NDJSON) as stream:
        stream.begin()
        lines = [line for line in stream.lines() if b'"event":"case"' in line]
    assert b"1" + b"0" * 30 in lines[0]


def test_the_events_of_one_that_runs_have_each_case_as_it_ends(serve, store):
    server = serve(jobs=1, store=store)
    held = held_cases(server, 3)
    held.started()
    with Events(server, held.id) as early:
        assert early.until("start")["id"] == held.id
        let_all_go(held, 1)
        assert early.until("case")["index"] == 0
        with Events(server, held.id, NDJSON) as late:
            assert late.until("case")["index"] == 0  # what ended before it came
            assert job(server, held.id)["state"] == "running"
            held.let_go()
            server.log.wait(lambda record: record.get("id") == f"{held.id}.1" and "verdict" in record)
            held.let_go()
            for stream in (early, late):
                events = list(stream._events)
                assert [(name, data.get("index")) for name, data in events] == [("case", 1), ("case", 2), ("verdict", None)]


def test_a_follower_that_reads_nothing_does_not_hold_the_run(kept):
    number = submit(kept, "print('x' * 500_000)", policy="default", limits={"output_bytes": 600_000}, cases=[{}] * 20)
    with kept.send("GET", f"/jobs/{number}/events") as idle:
        assert ended(kept, number)["answer"]["verdict"] == "ok"
        assert idle.answer().body.count(b"event: case\n") == 20


# ── Its end ──────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("workers", [1, 2])
def test_its_cancellation_ends_all_cases(serve, store, workers):
    server = serve(jobs=2, store=store, workers=workers)
    held = held_cases(server, 50)
    until(lambda: server.metric("sandbox_jobs_running") == 2)
    with Events(server, held.id) as stream:
        stream.until("start")
        assert server.ask("DELETE", f"/jobs/{held.id}").status == 204
        assert "cancelled" in stream.until("verdict")["error"]
    until(lambda: server.metric("sandbox_jobs_running") == 0 and server.metric("sandbox_queue_length") == 0)
    assert not held.pids() and job(server, held.id)["state"] == "cancelled"
    assert server.run("print(1)")["output"] == "1"


def test_one_that_waits_is_cancelled_and_never_runs(kept):
    held = [HeldJob(kept).started(), HeldJob(kept).started()]
    number = submit(kept, DOUBLE, cases=doubles(3))
    assert kept.ask("DELETE", f"/jobs/{number}").status == 204
    for each in held:
        each.let_go()
        ended(kept, each.id)
    assert not kept.log.all(lambda record: record.get("id", "").startswith(number) and "verdict" in record)


def test_told_to_stop_the_service_finishes_it_first(serve, store):
    server = serve(jobs=1, store=store)
    held = held_cases(server, 2)
    held.started()
    server.signal(signal.SIGTERM)
    server.log.wait(says("stopping"))
    let_all_go(held, 2)
    assert server.wait() == 0
    assert ended(serve(jobs=1, store=store), held.id)["answer"]["verdict"] == "ok"


def test_what_still_runs_after_the_grace_is_given_back_without_a_loss(serve, store):
    server = serve(jobs=1, store=store, grace="100ms", tries=1)
    held = held_cases(server, 2)
    for _ in range(2):
        held.started()
        server.signal(signal.SIGTERM)
        assert server.wait() == 0
        held._server = server = serve(jobs=1, store=store, grace="100ms", tries=1)
    let_all_go(held, 2)
    found = ended(server, held.id)
    assert (found["state"], found["tries"], found["answer"]["verdict"]) == ("done", 3, "ok")


def test_killed_with_one_that_runs_the_service_runs_all_its_cases_again(serve, store):
    server = serve(jobs=1, store=store)
    held = held_cases(server, 2)
    let_all_go(held, 1)
    held.started()
    server.kill()
    server.wait()
    held._server = server = serve(jobs=1, store=store)
    let_all_go(held, 2)
    found = ended(server, held.id)
    assert (found["tries"], [case["output"] for case in found["answer"]["cases"]]) == (2, ["let go", "let go"])


def test_its_answer_does_not_count_when_another_node_was_given_it(serve, store, tmp_path):
    server = serve(jobs=1, store=store)
    held = held_cases(server, 3)
    held.started()
    with sqlite3.connect(tmp_path / "jobs.db") as file:  # as a node that took it for dead
        file.execute("UPDATE jobs SET try = try + 1 WHERE id = ?", (held.id,))
    let_all_go(held, 3)
    server.log.wait(says("no longer counts"))
    assert job(server, held.id)["state"] == "running"


def test_it_is_lost_when_the_sandbox_fails_for_a_case_too_often(serve, store, policies, tmp_path):
    (tmp_path / "mounted").mkdir()
    mount = {"source": str(tmp_path / "mounted"), "target": "/mnt"}
    server = serve(jobs=1, store=store, tries=1, policies=policies(default={"mounts": [mount], "start": "cold"}))
    held = held_cases(server, 2)
    held.started()
    (tmp_path / "mounted").rmdir()
    held.let_go()
    found = ended(server, held.id)
    assert (found["state"], found["answer"]) == ("lost", None) and "mounted" in found["reason"]


def test_its_callback_has_its_answer(serve, store, receive):
    receiver = receive()
    server = serve(store=store, callback_host=receiver.host)
    number = submit(server, DOUBLE, cases=doubles(3), callback={"url": receiver.url, "secret": "sixteen bytes or more"})
    request = receiver.got.get()
    check_signature(request)
    assert request.headers["X-Sandbox-Job"] == number and b'"passed":3' in request.body


# ── Beside others ────────────────────────────────────────────────────────────────────────────────


def test_other_clients_come_between_its_cases(serve, store, token):
    many, one = bearer(token("many")), bearer(token("one"))
    server = serve(jobs=1, store=store, tokens=token.file)
    number = submit(server, DOUBLE, many, cases=doubles(200))
    server.log.jobs(1)
    assert server.run("print(1)", one)["output"] == "1"
    assert job(server, number, many)["state"] == "running"
    assert ended(server, number, many)["answer"]["passed"] == 200


def test_one_of_a_client_with_few_places_leaves_the_others_to_stored_jobs(serve, store, token):
    few, one = bearer(token("few", jobs=1)), bearer(token("one"))
    server = serve(jobs=2, store=store, tokens=token.file)
    held = HeldJob(server, few, cases=[{}] * 3)
    held.started()
    assert ended(server, submit(server, "print(1)", one), one)["answer"]["output"] == "1"
    assert job(server, held.id, few)["state"] == "running" and server.metrics(one)["sandbox_queue_length",] == 0
    server.ask("DELETE", f"/jobs/{held.id}", headers=few)


def test_one_whose_memory_no_place_has_is_refused_when_it_runs(serve, store):
    front = serve(store=store, no_run=True)
    number = submit(front, "1", policy="default", limits={"memory_bytes": 1 << 30}, cases=[{}])
    serve(store=store, memory="512M")
    found = ended(front, number)
    assert found["status"] == 400 and found["answer"]["field"] == "limits.memory_bytes"

"""Jobs that outlast a connection: POST /jobs, and what becomes of a job whatever dies meanwhile."""

import concurrent.futures
import contextlib
import os
import re
import signal
import sqlite3
import stat
import subprocess
import time

import pytest

from http_client import bearer
from sandbox_serve import says
from stored_jobs import NESTED, Events, HeldJob, ended, job, submit
from streams import NDJSON, SSE, output
from waiting import until

NATIVE = {"status", "output", "verdict", "stdout", "stderr", "truncated", "exit_code", "signal", "result", "usage",
          "enforcement", "id"}


# ── Submitting, and the answer ───────────────────────────────────────────────────────────────────


def test_a_job_is_accepted_and_its_answer_is_that_of_run(kept):
    number = submit(kept, "import sys\nprint('out')\nprint('err', file=sys.stderr)\nsys.exit(3)")
    found = ended(kept, number)
    assert found["id"] == number and found["state"] == "done" and found["policy"] == "run"
    assert found["tries"] == 1 and found["status"] == 200 and found["reason"] is None and found["position"] == 0
    assert NATIVE <= set(found["answer"]) and found["answer"]["id"] == number
    assert (found["answer"]["stdout"], found["answer"]["exit_code"]) == ("out\n", 3)
    times = [found[name] for name in ("created", "started", "ended")]
    assert times == sorted(times) and all(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", time) for time in times)


def test_the_answer_has_the_members_that_run_gives(kept):
    code = "def main(): return [1, {'a': None}]"
    direct = kept.run(code, call="main")
    stored = ended(kept, submit(kept, code, call="main"))["answer"]
    assert set(stored) == set(direct) and stored["result"] == direct["result"] == [1, {"a": None}]


def test_a_value_that_is_nested_as_deeply_as_can_be_is_in_the_answer(kept, deep_json):
    found = kept.get(f"/jobs/{submit(kept, NESTED, call='main')}?wait=60")
    assert b"[" * 1000 in kept.post("/run", {"code": NESTED, "call": "main"}).body and b"[" * 1000 in found.body


def test_the_output_of_a_limit_that_was_hit_is_in_the_answer(kept):
    found = ended(kept, submit(kept, "print('before', flush=True)\nwhile True: pass", timeout=0.5))
    assert found["state"] == "done" and found["answer"]["verdict"] == "timeout"
    assert found["answer"]["stdout"] == "before\n" and found["tries"] == 1


@pytest.mark.parametrize("size", [10, 1_000_000])  # in memory, in a file
def test_a_form_with_files_is_taken_as_by_run(kept, size):
    text = b"x" * size
    body = (b"--x\r\nContent-Disposition: form-data; name=\"code\"\r\n\r\nprint(len(open('data.txt').read()))\r\n"
            b"--x\r\nContent-Disposition: form-data; name=\"f\"; filename=\"data.txt\"\r\n\r\n" + text + b"\r\n--x--\r\n")
    answer = kept.post("/jobs", body, {"Content-Type": "multipart/form-data; boundary=x"})
    assert answer.status == 202, answer
    assert ended(kept, answer.json["id"])["answer"]["stdout"] == f"{size}\n"


def test_a_large_body_is_kept_whole(kept):
    text = "x" * 3_000_000
    found = ended(kept, submit(kept, "print(len(open('big.txt').read()))", files={"big.txt": text}))
    assert found["answer"]["stdout"] == "3000000\n"


@pytest.mark.parametrize("body, field", [
    ({"code": 1}, "code"), ({"code": "1", "policy": "no-such"}, "policy"), ({"code": "1", "nonsense": 1}, "nonsense"),
    ({"code": "1", "timeout": 100000}, "timeout"), ({"code": "1", "limits": {"pids": 10**6}}, "limits.pids"),
    ({"code": "1", "cases": [{}, {"args": [1]}]}, "cases[1].args[0]"), ({"code": "1", "stop": "never"}, "stop"),
])
def test_what_cannot_run_is_refused_at_once(kept, body, field):
    answer = kept.post("/jobs", body)
    assert answer.status == 400 and answer.field == field
    assert kept.get("/jobs").json == {"jobs": []}


def test_without_a_store_the_answer_names_the_option(serve):
    server = serve()
    for method, path, body in [("POST", "/jobs", {"code": "1"}), ("GET", "/jobs", None),
                               ("GET", f"/jobs/{'0' * 32}", None), ("DELETE", f"/jobs/{'0' * 32}", None),
                               ("GET", f"/jobs/{'0' * 32}/events", None)]:
        answer = server.ask(method, path, body)
        assert answer.status == 501 and "--store" in answer.error


# ── Asking for it ────────────────────────────────────────────────────────────────────────────────


def test_a_wait_ends_with_the_job(kept):
    held = HeldJob(kept)
    held.started()
    asked = [kept.send("GET", f"/jobs/{held.id}?wait=60") for _ in range(50)]
    assert job(kept, held.id)["state"] == "running"
    assert not any(connection.answered() for connection in asked)
    held.let_go()
    for connection in asked:
        with connection:
            assert connection.answer().json["state"] == "done"


def test_a_wait_that_is_over_answers_with_the_state(kept):
    held = HeldJob(kept)
    held.started()
    found = job(kept, held.id, wait=1)
    assert found["state"] == "running" and found["answer"] is None and found["status"] is None
    assert found["ended"] is None
    held.let_go()


def test_a_client_that_leaves_while_it_waits_harms_nothing(kept):
    held = HeldJob(kept)
    held.started()
    for path in (f"/jobs/{held.id}?wait=60", f"/jobs/{held.id}/events"):
        kept.send("GET", path).close()
    held.let_go()
    assert ended(kept, held.id)["answer"]["output"] == "let go"


def test_a_query_is_read_strictly(kept):
    for query in ["wait", "wait=", "wait=-1", "wait=61", "wait=1.5", "wait=1&wait=2", "wait=1&x=1", "Wait=1",
                  "wait=%31", "wait=999999999999999999999", "x", "wait=1" + "0" * 400]:
        answer = kept.get(f"/jobs/{'0' * 32}?{query}")
        assert answer.status == 400 and answer.field == "wait" and "0 to 60" in answer.error, query


@pytest.mark.parametrize("how", ["GET", "DELETE", "events"])
def test_an_unknown_id_is_not_found(kept, how):
    for number in ["0" * 32, "0", "x" * 32, "0" * 31, "0" * 33, "a" * 5000, "%00", "..", "'", "%2f"]:
        path = f"/jobs/{number}" + ("/events" if how == "events" else "")
        answer = kept.ask("GET" if how == "events" else how, path)
        assert answer.status == 404 and "unknown" in answer.error, number


def test_methods_that_a_path_lacks_are_named(kept):
    for path, allowed in [("/jobs", "POST, GET, HEAD, OPTIONS"), (f"/jobs/{'0' * 32}", "GET, HEAD, DELETE, OPTIONS"),
                          (f"/jobs/{'0' * 32}/events", "GET, HEAD, OPTIONS")]:
        answer = kept.ask("PUT", path, {})
        assert answer.status == 405 and answer.headers["Allow"] == allowed
        assert kept.ask("OPTIONS", path).headers["Allow"] == allowed


def test_head_has_no_body(kept):
    number = submit(kept, "1")
    ended(kept, number)
    answer = kept.ask("HEAD", f"/jobs/{number}")
    assert answer.status == 200 and answer.body == b"" and int(answer.headers["Content-Length"]) > 100


def test_a_list_has_the_newest_job_first(kept):
    numbers = [submit(kept, "1") for _ in range(3)]
    for number in numbers:
        ended(kept, number)
    listed = kept.get("/jobs").json["jobs"]
    assert [each["id"] for each in listed] == numbers[::-1]
    assert "answer" not in listed[0] and listed[0]["state"] == "done"


# ── Whose it is ──────────────────────────────────────────────────────────────────────────────────


def test_somebody_elses_job_does_not_exist(serve, store, token):
    ann, bob = bearer(token("ann")), bearer(token("bob"))
    server = serve(store=store, tokens=token.file)
    number = submit(server, "print('secret')", ann)
    ended(server, number, ann)
    unknown = server.get(f"/jobs/{'0' * 32}", bob)
    for method, path in [("GET", f"/jobs/{number}"), ("GET", f"/jobs/{number}?wait=1"), ("DELETE", f"/jobs/{number}"),
                         ("GET", f"/jobs/{number}/events")]:
        answer = server.ask(method, path, headers=bob)
        assert (answer.status, answer.json) == (404, unknown.json)
    assert server.get("/jobs", bob).json == {"jobs": []}
    assert server.get(f"/jobs/{number}").status == 401
    assert job(server, number, ann)["answer"]["stdout"] == "secret\n"


def test_a_job_runs_under_what_its_token_allows_when_it_runs(serve, store, token):
    ann = bearer(token("ann"))
    server = serve(store=store, tokens=token.file, jobs=1)
    held = HeldJob(server, ann)
    held.started()
    number = submit(server, "print('must not run')", ann)
    token.file.write_text("")
    server.signal(signal.SIGHUP)
    server.log.wait(says("were read again"))
    bob = bearer(token("bob"))
    server.signal(signal.SIGHUP)
    server.log.wait(says("were read again"), 2)
    held.let_go()
    server.log.wait(lambda record: record.get("id") == held.id and "verdict" in record)
    until(lambda: server.metrics(bob)["sandbox_stored_jobs", "queued"] == 0
          and server.metrics(bob)["sandbox_stored_jobs", "running"] == 0)
    assert not server.log.all(lambda record: record.get("id") == number and "verdict" in record)


# ── Keys ─────────────────────────────────────────────────────────────────────────────────────────


def test_the_same_key_gives_the_same_job(kept):
    key = {"Idempotency-Key": "once only"}
    number = submit(kept, "print(1)", key)
    assert submit(kept, "print(1)", key) == number
    ended(kept, number)
    assert submit(kept, "print(1)", key) == number
    answer = kept.post("/jobs", {"code": "print(2)"}, key)
    assert answer.status == 422 and answer.field == "Idempotency-Key"
    assert len(kept.get("/jobs").json["jobs"]) == 1


@pytest.mark.parametrize("workers", [1, 2])
def test_fifty_clients_with_one_key_get_one_job(serve, store, workers):
    server = serve(store=store, workers=workers, jobs=2)
    with concurrent.futures.ThreadPoolExecutor(50) as pool:
        numbers = set(pool.map(lambda _: submit(server, "print('once')", {"Idempotency-Key": "k"}), range(50)))
    assert len(numbers) == 1
    ended(server, *numbers)
    assert server.log.jobs(1) == server.log.all(lambda record: "verdict" in record)


@pytest.mark.parametrize("key", ["", "x" * 257, "\u00e4", "a\tb"])
def test_a_key_that_is_none_is_refused(kept, key):
    answer = kept.post("/jobs", {"code": "1"}, {"Idempotency-Key": key})
    assert answer.status == 400 and answer.field == "Idempotency-Key" and "256" in answer.error
    assert submit(kept, "1", {"Idempotency-Key": "x" * 256})


# ── Cancelling ───────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("workers", [1, 2])
def test_a_job_that_runs_is_killed_by_its_cancellation(serve, store, workers):
    server = serve(store=store, workers=workers, jobs=2)
    held = HeldJob(server)
    held.started()
    for _ in range(4):  # whichever worker is asked
        assert server.ask("DELETE", f"/jobs/{held.id}").status == 204
    until(lambda: not held.pids())
    found = job(server, held.id)
    assert found["state"] == "cancelled" and found["answer"] is None and "cancelled" in found["reason"]


def test_a_job_that_waits_is_cancelled_and_never_runs(kept):
    held = [HeldJob(kept), HeldJob(kept)]
    for each in held:
        each.started()
    number = submit(kept, "print('must not run')")
    assert job(kept, number)["position"] == 1
    assert kept.ask("DELETE", f"/jobs/{number}").status == 204
    for each in held:
        each.let_go()
        ended(kept, each.id)
    assert job(kept, number)["state"] == "cancelled"
    assert not kept.log.all(lambda record: record.get("id") == number and "verdict" in record)


def test_a_wait_ends_with_the_cancellation(kept):
    held = HeldJob(kept)
    held.started()
    with kept.send("GET", f"/jobs/{held.id}?wait=60") as asked:
        kept.ask("DELETE", f"/jobs/{held.id}")
        assert asked.answer().json["state"] == "cancelled"


def test_to_cancel_what_has_ended_changes_nothing(kept):
    number = submit(kept, "print(1)")
    ended(kept, number)
    assert kept.ask("DELETE", f"/jobs/{number}").status == 204
    assert job(kept, number)["state"] == "done"


# ── Events ───────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("accept", [SSE, NDJSON])
def test_the_events_of_a_job_that_has_ended_come_from_its_answer(kept, accept):
    number = submit(kept, "import sys\nprint('out')\nprint('err', file=sys.stderr)\n{'a': 1}", notebook=True)
    answer = ended(kept, number)["answer"]
    with Events(kept, number, accept) as stream:
        events = list(stream.events())
    assert [name for name, _ in events] == ["start", "stdout", "stderr", "display", "verdict"]
    assert events[0][1] == {"id": number, "policy": "run", "queued": 0}
    assert output(events) == b"out\n" and output(events, "stderr") == b"err\n"
    assert events[-1][1] == answer and events[3][1] == answer["display"][0]


def test_events_have_output_in_base64_where_it_was_asked_for(kept):
    number = submit(kept, "import sys\nsys.stdout.buffer.write(bytes(range(256)))", base64=True)
    ended(kept, number)
    with Events(kept, number) as stream:
        assert output(list(stream.events())) == bytes(range(256))


def test_numbers_in_the_events_of_a_job_that_has_ended_are_those_of_its_answer(kept):
    number = submit(kept, "display({'application/json': [10**30, 1.50], 'text/plain': ''}, raw=True)", notebook=True)
    ended(kept, number)
    with Events(kept, number) as stream:
        assert stream.until("display")["application/json"] == [10**30, 1.5]


def test_events_of_a_job_that_waits_begin_at_once_and_end_with_it(kept):
    held = [HeldJob(kept), HeldJob(kept)]
    for each in held:
        each.started()
    number = submit(kept, "print('at last')")
    with Events(kept, number) as stream:
        assert stream.until("start")["queued"] == 1
        for each in held:
            each.let_go()
        assert stream.until("stdout") == {"text": "at last\n"}
        assert stream.until("verdict")["verdict"] == "ok"


def test_events_of_a_job_that_runs_have_its_output_as_it_comes(kept):
    held = HeldJob(kept, first="print('before', flush=True)\ndisplay(1)\n", notebook=True)
    held.started()
    with Events(kept, held.id) as early, Events(kept, held.id, NDJSON) as late:
        assert early.until("stdout") == {"text": "before\n"}
        assert early.until("display")["text/plain"] == "1"
        assert late.until("start")["id"] == held.id  # what was put out before it came
        assert late.until("stdout") == {"text": "before\n"}
        assert job(kept, held.id)["state"] == "running"
        held.let_go()
        for stream in (early, late):
            events = list(stream._events)
            assert output(events) == b"let go\n"
            assert events[-1][0] == "verdict" and events[-1][1]["stdout"] == "before\nlet go\n"


def test_a_follower_that_reads_nothing_does_not_hold_the_job(kept):
    number = submit(kept, "print('x' * 5_000_000)", policy="default", limits={"output_bytes": 6_000_000})
    with kept.send("GET", f"/jobs/{number}/events") as idle:
        found = ended(kept, number)
        assert found["answer"]["verdict"] == "ok" and len(found["answer"]["stdout"]) == 5_000_001
        assert len(idle.answer().body) > 5_000_000


def test_the_events_of_a_cancelled_job_end_with_a_reason(kept):
    held = HeldJob(kept)
    held.started()
    with Events(kept, held.id) as stream:
        stream.until("start")
        kept.ask("DELETE", f"/jobs/{held.id}")
        assert "cancelled" in stream.until("verdict")["error"]


# ── Bounds ───────────────────────────────────────────────────────────────────────────────────────


def test_a_full_queue_refuses_and_says_when_to_come_again(serve, store):
    server = serve(store=store, jobs=1, store_max=2)
    held = HeldJob(server)
    held.started()
    submit(server, "1")
    submit(server, "1")
    answer = server.post("/jobs", {"code": "1"})
    assert answer.status == 503 and int(answer.headers["Retry-After"]) >= 1 and "full" in answer.error
    held.let_go()


def test_a_client_has_its_share(serve, store, token):
    ann, bob = bearer(token("ann")), bearer(token("bob"))
    server = serve(store=store, jobs=1, store_per_owner=2, tokens=token.file)
    held = HeldJob(server, ann)
    held.started()
    submit(server, "1", ann)
    answer = server.post("/jobs", {"code": "1"}, ann)
    assert answer.status == 503 and "one client" in answer.error
    submit(server, "1", bob)
    held.let_go()


def test_stored_jobs_do_not_shut_out_run(serve, store):
    server = serve(store=store, jobs=2)
    held = [HeldJob(server), HeldJob(server)]
    for each in held:
        each.started()
    for _ in range(200):
        submit(server, "pass")
    asked = server.send("POST", "/run", {"code": "print('not shut out')"})
    held[0].let_go()
    assert asked.answer().json["output"] == "not shut out"
    assert server.metrics()["sandbox_stored_jobs", "queued"] > 0
    held[1].let_go()
    until(lambda: server.metrics()["sandbox_stored_jobs", "queued"] == 0)


def test_an_answer_is_forgotten_after_its_time(serve, store):
    server = serve(store=store, result_ttl="100ms")
    number = submit(server, "1")
    until(lambda: server.get(f"/jobs/{number}").status == 404)


def test_a_job_that_never_ran_is_forgotten_after_its_time(serve, store):
    server = serve(store=store, no_run=True, job_ttl="300ms")
    number = submit(server, "1")
    until(lambda: server.get(f"/jobs/{number}").status == 404)


# ── Whatever dies ────────────────────────────────────────────────────────────────────────────────


def test_a_service_that_runs_none_leaves_them_to_another(serve, store):
    front, back = serve(store=store, no_run=True), None
    number = submit(front, "print('ran elsewhere')")
    with front.send("GET", f"/jobs/{number}?wait=60") as asked:
        back = serve(store=store)
        assert asked.answer().json["answer"]["output"] == "ran elsewhere"
    assert back.log.jobs(1)[0]["id"] == number and not front.log.all(lambda record: "verdict" in record)


def test_killed_with_jobs_that_wait_and_run_it_answers_each_once_after_a_new_start(serve, store):
    server = serve(store=store, jobs=2)
    held = [HeldJob(server), HeldJob(server)]
    for each in held:
        each.started()
    numbers = [submit(server, f"print({i})", {"Idempotency-Key": str(i)}) for i in range(20)]
    server.kill()
    server.wait()
    again = serve(store=store, jobs=2)
    for each in held:  # they run again, and wait for the same signals
        each._server = again
        each.let_go()
    for i, number in enumerate(numbers):
        found = ended(again, number)
        assert (found["state"], found["answer"]["stdout"], found["tries"]) == ("done", f"{i}\n", 1)
    for each in held:
        found = ended(again, each.id)
        assert (found["answer"]["output"], found["tries"]) == ("let go", 2)
    ran = [record["id"] for record in again.log.jobs(len(numbers) + len(held))]
    assert sorted(ran) == sorted([*numbers, *(each.id for each in held)])
    assert submit(again, "print(3)", {"Idempotency-Key": "3"}) == numbers[3]


def test_a_worker_that_dies_leaves_its_jobs_to_the_other(serve, store):
    server = serve(store=store, workers=2, jobs=2)
    held = HeldJob(server)
    held.started()
    parents = {int(open(f"/proc/{pid}/stat").read().rsplit(")", 1)[1].split()[1]) for pid in held.pids()}
    workers = {int(pid) for pid in open(f"/proc/{server.pid}/task/{server.pid}/children").read().split()}
    (worker,) = {pid for pid in parents | {ancestor(pid, workers) for pid in held.pids()} if pid in workers}
    before = held.pids()
    os.kill(worker, signal.SIGKILL)
    until(lambda: held.pids() and not held.pids() & before)
    held.let_go()
    found = ended(server, held.id)
    assert found["answer"]["output"] == "let go" and found["tries"] == 2


def ancestor(pid, wanted):
    """The process among `wanted` that a process descends from."""
    while pid not in wanted and pid > 1:
        pid = int(open(f"/proc/{pid}/stat").read().rsplit(")", 1)[1].split()[1])
    return pid


def test_a_job_that_always_takes_its_worker_along_is_lost(serve, store):
    server = serve(store=store, jobs=1, tries=2)
    held = HeldJob(server)
    for _ in range(2):
        held.started()
        server.kill()
        server.wait()
        server = serve(store=store, jobs=1, tries=2)
        held._server = server
    found = ended(server, held.id)
    assert found["state"] == "lost" and found["answer"] is None and found["reason"].endswith(": 2")
    with Events(server, held.id) as stream:
        assert stream.until("verdict")["verdict"] == "internal"


def test_told_to_stop_it_finishes_what_runs_and_leaves_what_waits(serve, store):
    server = serve(store=store, jobs=1)
    held = HeldJob(server)
    held.started()
    number = submit(server, "print('later')")
    with server.send("GET", f"/jobs/{number}?wait=60") as asked:
        assert server.metric("sandbox_jobs_running") == 1  # what came before is read by then
        server.signal(signal.SIGTERM)
        assert asked.answer().json["state"] == "queued"  # nobody waits for a service that stops
    held.let_go()
    assert server.wait() == 0
    again = serve(store=store, jobs=1)
    assert ended(again, number)["tries"] == 1
    assert ended(again, held.id)["answer"]["output"] == "let go"
    assert [record["id"] for record in again.log.jobs(1)] == [number]


def test_what_still_runs_after_the_grace_is_given_back_without_a_loss(serve, store):
    for _ in range(3):
        server = serve(store=store, jobs=1, grace="100ms", tries=1)
        if _ == 0:
            held = HeldJob(server)
        held._server = server
        held.started()
        server.signal(signal.SIGTERM)
        assert server.wait() == 0
    server = serve(store=store, jobs=1, tries=1)
    held._server = server
    held.let_go()
    assert ended(server, held.id)["answer"]["output"] == "let go"


# ── The file ─────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def small_disk(tmp_path):
    """A disk of 8 MB, with a file on it that leaves less."""
    if os.geteuid() != 0:
        pytest.skip("needs root: to mount a small file system")
    place = tmp_path / "disk"
    place.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", place], check=True)
    (place / "ballast").write_bytes(b"x" * 3_000_000)
    yield place
    subprocess.run(["umount", "-l", place], check=True)


def test_a_full_disk_refuses_jobs_and_goes_on_when_it_has_room(serve, small_disk):
    server = serve(store=f"sqlite:{small_disk}/jobs.db", jobs=2)
    held = [HeldJob(server), HeldJob(server)]
    for each in held:
        each.started()
    accepted, refusal = [], None
    while refusal is None:
        answer = server.post("/jobs", {"code": "print(1)", "files": {"a": "x" * 200_000}})
        if answer.status == 202:
            accepted.append(answer.json["id"])
        else:
            refusal = answer
    assert refusal.status == 503 and "full" in refusal.error and int(refusal.headers["Retry-After"]) >= 1
    held[0].let_go()
    assert server.run("print('alive')")["output"] == "alive"
    assert job(server, held[1].id)["state"] == "running"
    (small_disk / "ballast").unlink()
    held[1].let_go()
    for number in [*accepted, held[0].id, held[1].id]:
        assert ended(server, number)["answer"]["verdict"] in ("ok", "exit")
    assert accepted and submit(server, "print(2)")


def locked(path):
    """Another program's connection that holds the file; close() lets it go."""
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    return other


def test_calls_wait_together_for_a_file_that_another_program_holds(serve, store, tmp_path):
    server = serve(store=store, jobs=1)

    def refusals(count):
        began = time.monotonic()
        for each in [server.send("POST", "/jobs", {"code": "1"}) for _ in range(count)]:
            with each:
                answer = each.answer()
                assert answer.status == 503 and "locked" in answer.error
        return time.monotonic() - began

    with contextlib.closing(locked(tmp_path / "jobs.db")):
        assert refusals(20) < 5 * refusals(1)
    assert ended(server, submit(server, "print(1)"))["answer"]["output"] == "1"


def test_a_file_that_another_program_holds_does_not_keep_the_service_from_stopping(serve, store, tmp_path):
    server = serve(store=store, jobs=1, grace="100ms")
    held = HeldJob(server).started()
    with contextlib.closing(locked(tmp_path / "jobs.db")):
        server.signal(signal.SIGTERM)
        assert server.wait() == 0
        server.log.wait(says(f"job {held.id}: the store can't be told"))
    held._server = server = serve(store=store, jobs=1)
    held.let_go()
    assert ended(server, held.id)["answer"]["output"] == "let go"


@pytest.mark.parametrize("replaced", [False, True])
def test_a_file_that_was_taken_away_takes_no_more_jobs_and_ends_those_it_has(serve, store, tmp_path, replaced):
    server = serve(store=store, jobs=1)
    held = HeldJob(server).started()
    for file in tmp_path.glob("jobs.db*"):
        file.unlink()
    if replaced:
        (tmp_path / "jobs.db").touch()
    answer = server.post("/jobs", {"code": "1"})
    assert answer.status == 503 and "started again" in answer.error
    held.let_go()
    assert ended(server, held.id)["answer"]["output"] == "let go"


def test_its_file_is_the_services_alone(serve, store, tmp_path):
    server = serve(store=store)
    ended(server, submit(server, "1"))
    for path in tmp_path.glob("jobs.db*"):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600, path


def test_a_file_that_is_no_store_is_refused(refused, tmp_path):
    (tmp_path / "letter").write_text("Dear database,\n" * 1000)
    assert "damaged, or no database" in refused(store=f"sqlite:{tmp_path}/letter")
    assert "directory" in refused(store="sqlite:/no/such/place/jobs.db")
    assert "sqlite:PATH" in refused(store="oracle:x")
    assert "--workers" in refused(store="memory", workers=2)
    assert "--store" in refused(no_run=True)


def test_what_is_in_the_file_is_input(serve, store, tmp_path):
    """Who can write to the file can run jobs, but under the service's policies and caps alone."""
    front = serve(store=store, no_run=True)
    numbers = [submit(front, "print(1)") for _ in range(4)]
    bodies = [b"1 127.0.0.1\n\n{\"code\": \"print(1)\", \"timeout\": 1000000}", b"nonsense", b"", b"1 127.0.0.1\n"]
    sqlite3 = pytest.importorskip("sqlite3")
    with sqlite3.connect(tmp_path / "jobs.db") as file:
        for number, body in zip(numbers, bodies):
            file.execute("UPDATE jobs SET request = ? WHERE id = ?", (body, number))
    serve(store=store)
    for number in numbers:
        found = ended(front, number)
        assert found["state"] == "done" and found["status"] == 400 and found["answer"]["status"] == "error"
    with sqlite3.connect(tmp_path / "jobs.db") as file:
        file.execute("UPDATE jobs SET answer = ? WHERE id = ?", (b"1 text\n{\"a\": \"\xff", numbers[0]))
    assert job(front, numbers[0])["answer"] is None


def test_metrics_count_stored_jobs(kept):
    held = HeldJob(kept)
    held.started()
    until(lambda: kept.metrics()["sandbox_stored_jobs", "running"] == 1)
    assert kept.metric("sandbox_stored_job_tries_total") == 1
    assert kept.metric("sandbox_store_failures_total") == 0
    held.let_go()
    until(lambda: kept.metrics()["sandbox_stored_jobs", "running"] == 0)
    calls = {name[1]: value for name, value in kept.metrics().items() if name[0] == "sandbox_store_call_duration_seconds_count"}
    assert calls["submit"] == calls["finish"] == 1 and calls["claim"] >= 1 and calls["list"] == calls["cancel"] == 0

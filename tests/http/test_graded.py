"""Graded runs: POST /run with "cases", one program run once for each, and what becomes of each."""

import json
import signal
import threading

import pytest

from http_client import bearer
from sandbox_serve import Waiting, base64_text, says
from streams import NDJSON, SSE, Stream
from waiting import until

DOUBLE = "print(2 * int(input()))"


def doubles(count):
    return [{"stdin": f"{i}\n", "expected": {"stdout": f"{2 * i}\n"}} for i in range(count)]


def correct(answer):
    return [case["correct"] for case in answer["cases"]]


def verdicts(answer):
    return [case["verdict"] for case in answer["cases"]]


def refusal(server, **fields):
    answer = server.post("/run", {"code": DOUBLE, **fields})
    assert answer.status == 400, answer
    return answer.field, answer.error


# ── What comes ───────────────────────────────────────────────────────────────────────────────────


def test_every_case_has_an_answer_of_its_own_in_the_order_asked(server):
    plain = server.run(DOUBLE, stdin="4")
    answer = server.run(DOUBLE, cases=[*doubles(7), {"stdin": "x"}, {"stdin": "5", "expected": {"stdout": "11"}}])
    assert [case["output"] for case in answer["cases"]] == ["0", "2", "4", "6", "8", "10", "12", "", "10"]
    assert correct(answer) == [True] * 7 + [None, False] and answer["passed"] == 7
    for case in answer["cases"]:
        assert [name for name in case if name not in ("correct", "error")] == list(plain)
    assert len({case["id"] for case in answer["cases"]}) == 9


def test_the_answer_as_a_whole_is_that_of_the_worst_case(server):
    code = "import sys; n = int(input()); print(n); n == 3 and 1/0; n == 4 and sys.exit(4)"
    answer = server.run(code, cases=[{"stdin": str(n)} for n in (1, 4, 3, 4)])
    worst = answer["cases"][1]
    assert verdicts(answer) == ["ok", "exit", "exception", "exit"]
    assert (answer["verdict"], answer["exit_code"], answer["id"]) == ("exit", 4, worst["id"])
    assert list(answer)[-2:] == ["cases", "passed"] and "correct" not in answer


def test_of_cases_that_ended_alike_an_incorrect_one_is_worse(server):
    answer = server.run(DOUBLE, cases=[*doubles(2), {"stdin": "2", "expected": {"stdout": "5"}}])
    assert answer["id"] == answer["cases"][2]["id"] and answer["status"] == "success"


@pytest.mark.parametrize("expected,right", [
    ({"stdout": "a b\nc"}, True), ({"stdout": "a b\nc\n\n"}, True), ({"stdout": "a  b\nc"}, False),
    ({"stdout": "a b \nc\n", "compare": "exact"}, True), ({"stdout": "a b\nc\n", "compare": "exact"}, False),
    ({"stdout": "a b c", "compare": "tokens"}, True), ({"stdout": {"base64": base64_text(b"a b\nc")}}, True),
    ({"stdout": "a b\nc", "compare": "lines"}, True), ({"stdout": ""}, False)])
def test_output_is_compared_as_asked(server, expected, right):
    assert correct(server.run("print('a b \\nc')", cases=[{"expected": expected}])) == [right]


def test_numbers_may_differ_by_the_tolerance(server):
    cases = [{"expected": {"stdout": text, "compare": {"float": 1e-6}}} for text in ("0.3 inf", "0.31 inf")]
    assert correct(server.run("print(0.1 + 0.2, float('inf'))", cases=cases)) == [True, False]


def test_a_value_is_compared_as_json(server):
    def main(a, b):
        return {"sum": a + b, "all": [a, b]}
    code = "def main(a, b): return {'sum': a + b, 'all': [a, b]}"
    cases = [{"call": {"name": "main", "args": [1, b]}, "expected": {"result": {"all": [1.0, 2], "sum": 3}}}
             for b in (2, 3)]
    answer = server.run(code, cases=cases)
    assert correct(answer) == [True, False] and answer["cases"][0]["result"] == main(1, 2)


def test_null_is_a_value_that_may_be_expected(server):
    cases = [{"call": "main", "expected": {"result": None}}]
    assert correct(server.run("def main(): return None", cases=cases)) == [True]
    assert correct(server.run("def main(): return 0", cases=cases)) == [False]


def test_a_program_that_fails_after_the_right_output_is_incorrect(server):
    assert correct(server.run("print(1); exit(3)", cases=[{"expected": {"stdout": "1"}}])) == [False]


def test_output_with_bytes_left_out_is_incorrect(server):
    answer = server.run("print('x' * 5000)", limits={"output_bytes": 1000},
                        cases=[{"expected": {"stdout": "x" * 5000}}])
    assert correct(answer) == [False] and answer["cases"][0]["truncated"]["stdout"] > 0


def test_a_case_adds_to_what_all_share_or_replaces_it(server):
    code = """
import os, sys
print(sys.argv[1:], os.environ['A'], os.environ['B'], open('data/a').read(), open('b').read(), input())"""
    shared = {"args": ["x"], "env": {"A": "1", "B": "2"}, "files": {"data/a": "fa", "b": "fb"}, "stdin": "in"}
    answer = server.run(code, **shared, cases=[
        {}, {"args": ["y", "z"]}, {"env": {"B": "3"}}, {"files": {"./data//a": "other"}}, {"stdin": "own"}, {"args": []},
        {"stdin": {"base64": base64_text("é".encode())}}])
    assert [case["output"] for case in answer["cases"]] == [
        "['x'] 1 2 fa fb in", "['y', 'z'] 1 2 fa fb in", "['x'] 1 3 fa fb in", "['x'] 1 2 other fb in",
        "['x'] 1 2 fa fb own", "[] 1 2 fa fb in", "['x'] 1 2 fa fb é"]


@pytest.mark.parametrize("who", ["service", "policy"])
def test_all_cases_start_cold_where_the_service_or_the_policy_does(serve, policies, who):
    server = serve(cold=True) if who == "service" else serve(policies=policies(run={"start": "cold"}))
    answer = server.run(DOUBLE, policy="run", cases=doubles(20))
    assert answer["passed"] == 20 and {case["enforcement"]["start"] for case in answer["cases"]} == {"cold"}


def test_files_of_a_form_are_shared_by_the_cases(server):
    import requests
    host, port = server.address
    answer = requests.post(f"http://{host}:{port}/run", files={
        "code": ("solve.py", "print(open('data.txt').read() + input())"), "data": ("data.txt", b"shared"),
        "request": (None, json.dumps({"cases": [{"stdin": str(n), "expected": {"stdout": f"shared{n}"}}
                                                for n in range(3)]}))}).json()
    assert answer["passed"] == 3


def test_large_values_of_a_large_request_reach_every_case(server):
    """Such a body is in a file, and its strings are read where they are, for as long as the run lasts."""
    long = "\\\"\n\té😀" * 4000
    code = """
import os, sys
def main(text):
    print(len(sys.stdin.read()), sys.argv[1:] == ['x' * 5000], len(os.environ['A']), len(open('f').read()))
    return {'text': text}"""
    cases = [{"stdin": long + "." * n, "files": {"f": {"base64": base64_text(b"f" * (9000 + n))}},
              "call": {"name": "main", "args": [long + str(n)]},
              "expected": {"stdout": f"{len(long) + n} True 5000 {9000 + n}", "result": {"text": long + str(n)}}}
             for n in range(10)]
    answer = server.run(code, policy="default", args=["x" * 5000], env={"A": "a" * 5000}, cases=cases)
    assert answer["passed"] == 10, answer


def test_files_and_displays_come_back_for_each_case(server):
    answer = server.run("n = input()\nopen('out.txt', 'w').write(n)\nn", policy="run_code", notebook=True, collect=True,
                        cases=[{"stdin": "1"}, {"stdin": "2"}])
    assert [case["files"]["out.txt"]["text"] for case in answer["cases"]] == ["1", "2"]
    assert [case["display"][0]["text/plain"] for case in answer["cases"]] == ["'1'", "'2'"]


def test_names_of_cases_come_back(server):
    answer = server.run("", cases=[{"name": "small – ok"}, {}])
    assert [case.get("name") for case in answer["cases"]] == ["small – ok", None]


# ── Isolation and limits ─────────────────────────────────────────────────────────────────────────


def test_a_case_sees_nothing_of_another(server):
    code = """
import os, pathlib
print(sorted(os.listdir('/work')), sorted(os.listdir('/tmp')), sum(name.isdigit() for name in os.listdir('/proc')))
for place in ('/work/mark', '/tmp/mark', '/dev/shm/mark'):
    pathlib.Path(place).write_text('here')
import builtins
print(hasattr(builtins, 'mark')); builtins.mark = 1"""
    answer = server.run(code, policy="run_code", cases=[{}] * 12)
    assert {case["output"] for case in answer["cases"]} == {"['main.py'] [] 1\nFalse"}, answer["cases"][0]


HOSTILE = """
import os, signal, sys, time
kind = input()
if kind == "fork":
    while True:
        try: os.fork()
        except OSError: pass
if kind == "kill":
    try: os.kill(-1, signal.SIGKILL)
    finally: os.kill(os.getpid(), signal.SIGKILL)
if kind == "sleep": time.sleep(1000)
if kind == "print": sys.stdout.write("x" * (10 << 20))
if kind == "memory": x = "x" * (1 << 40)
print("done")
"""


def test_hostile_cases_harm_no_other_case(server):
    kinds = ["good", "fork", "good", "kill", "good", "sleep", "good", "print", "good", "memory", "good"]
    answer = server.run(HOSTILE, timeout=1, limits={"cpu_time_ms": 1000},
                        cases=[{"stdin": kind, "expected": {"stdout": "done"}} for kind in kinds])
    assert [kind for kind, right in zip(kinds, correct(answer)) if right] == ["good"] * 6
    ends = dict(zip(kinds, verdicts(answer)))
    assert ends["kill"] == "signal" and ends["sleep"] == "timeout" and ends["print"] == "ok"
    assert ends["fork"] in ("timeout", "cpu_time")
    assert answer["cases"][7]["truncated"]["stdout"] > 0


# ── Stopping ─────────────────────────────────────────────────────────────────────────────────────


def test_the_first_failure_stops_the_rest(serve):
    server = serve(jobs=1)
    answer = server.run(DOUBLE, stop="first-failure",
                        cases=[*doubles(3), {"stdin": "3", "expected": {"stdout": "7"}}, *doubles(20)])
    assert correct(answer) == [True] * 3 + [False] + [None] * 20 and answer["passed"] == 3
    for case in answer["cases"][4:]:
        assert case["verdict"] is None and case["error"] == "not run to its end: case 3 failed"
        assert case["usage"]["wall_time_ms"] is None and case["stdout"] is None
        assert set(case) == set(answer["cases"][0]) | {"error"}
    assert answer["id"] == answer["cases"][3]["id"]


def test_the_first_failure_ends_cases_that_run(serve):
    server = serve(jobs=2)
    code = "import time\nif input() == 'wait': time.sleep(1000)\n1/0"
    answer = server.run(code, stop="first-failure", timeout=10, cases=[{"stdin": "wait"}, {"stdin": "fail"}])
    assert verdicts(answer) == [None, "exception"]
    until(lambda: server.metric("sandbox_jobs_running") == 0)


def test_never_stops_by_default(server):
    answer = server.run("1/0", cases=[{}] * 3, stop="never")
    assert verdicts(answer) == ["exception"] * 3


def test_a_client_that_leaves_takes_all_cases_with_it(serve):
    server = serve(jobs=2)
    job = Waiting(server)
    asked = server.send("POST", "/run", {"code": job.code, "cases": [{}] * 50, "policy": "default"})
    job.started()
    asked.close()
    until(lambda: server.metric("sandbox_jobs_running") == 0 and server.metric("sandbox_queue_length") == 0)
    assert server.run("print(1)")["output"] == "1"


def test_policies_that_are_read_again_are_not_those_of_a_run_that_goes_on(serve):
    """A case that is killed ends after its run: the policies that it began with have to last as long."""
    server = serve(jobs=1, env={"MALLOC_PERTURB_": "165"})  # memory that was freed shows
    job = Waiting(server)
    asked = server.send("POST", "/run", {"code": job.code, "cases": [{}] * 3, "policy": "default"})
    job.started()
    server.signal(signal.SIGHUP)
    server.log.wait(says("were read again"))
    job.let_go()
    server.log.jobs(1)
    job.started()
    asked.close()
    assert {record["policy"] for record in server.log.jobs(2)} == {"default"}
    assert server.run("print(1)")["output"] == "1"


# ── The queue ────────────────────────────────────────────────────────────────────────────────────


def test_a_thousand_cases_fill_no_queue(serve):
    server = serve(jobs=2, queue=4)
    answer = server.run(DOUBLE, cases=doubles(1000))
    assert answer["passed"] == 1000


def test_a_run_is_refused_as_a_whole_while_the_queue_is_full(serve):
    server = serve(jobs=1, queue=0)
    held = server.hold().started()
    answer = server.post("/run", {"code": DOUBLE, "cases": doubles(3)})
    assert answer.status == 503 and int(answer.headers["Retry-After"]) >= 1 and "queue is full" in answer.error
    held.release()
    assert server.run(DOUBLE, cases=doubles(3))["passed"] == 3


def test_cases_of_a_run_that_has_begun_wait_instead_of_being_refused(serve):
    server = serve(jobs=1, queue=0)
    assert server.run(DOUBLE, cases=doubles(5))["passed"] == 5


def test_other_clients_come_between_the_cases_of_a_run(serve, token):
    many, one = token("many"), token("one")
    server = serve(jobs=1, tokens=token.file)
    with Stream(server, DOUBLE, headers=bearer(many), cases=doubles(1000)) as stream:
        stream.until("case")
        assert server.run("print(1)", bearer(one))["output"] == "1"
        index = stream.until("case")["index"]
        assert index < 990, "the other client's job should not have waited for all cases"
        assert stream.until("verdict")["passed"] == 1000


def test_two_clients_with_many_cases_take_turns(serve, token):
    secrets = [token("a"), token("b")]
    server = serve(jobs=2, tokens=token.file)
    done, seen = [0, 0], {}

    def read(which, stream):
        for name, data in stream.events():
            done[which] += name == "case"
            if name == "verdict":
                seen[which] = (list(done), data["passed"])

    streams = [Stream(server, DOUBLE, headers=bearer(secret), cases=doubles(200)) for secret in secrets]
    threads = [threading.Thread(target=read, args=each) for each in enumerate(streams)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for stream in streams:
        stream.connection.close()
    assert [passed for _, passed in seen.values()] == [200, 200]
    assert all(min(counts) > 100 for counts, _ in seen.values()), seen


def test_a_service_that_is_told_to_stop_ends_its_graded_runs_first(serve):
    server = serve(jobs=1)
    with Stream(server, DOUBLE, cases=doubles(200)) as stream:
        stream.until("case")
        server.signal(signal.SIGTERM)
        assert stream.until("verdict")["passed"] == 200
    server.wait()


# ── Streams ──────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("accept", [SSE, NDJSON])
def test_a_stream_has_each_case_as_it_ends_and_then_the_whole(server, accept):
    with Stream(server, DOUBLE, accept, cases=doubles(6)) as stream:
        events = list(stream.events())
    names = [name for name, _ in events]
    assert names[0] == "start" and names[-1] == "verdict" and names.count("case") == 6
    assert set(names) <= {"start", "queued", "case", "verdict"}
    whole = events[-1][1]
    for name, data in events:
        if name == "case":
            index = data.pop("index")
            assert data == whole["cases"][index]
    assert whole["passed"] == 6


def test_a_stream_tells_the_place_in_the_queue(serve):
    server = serve(jobs=1)
    held = server.hold().started()
    with Stream(server, DOUBLE, cases=doubles(2)) as stream:
        assert stream.until("start")["queued"] == 1
        held.release()
        assert stream.until("queued")["position"] == 0
        assert stream.until("verdict")["passed"] == 2


def test_a_reader_that_stops_reading_harms_no_one(serve):
    server = serve(jobs=2)
    stream = Stream(server, "print('x' * 500_000)", policy="default", cases=[{}] * 100)
    stream.begin()
    assert server.run("print(1)")["output"] == "1"
    stream.connection.close()
    until(lambda: server.metric("sandbox_jobs_running") == 0)


# ── Sizes ────────────────────────────────────────────────────────────────────────────────────────


def test_much_output_is_left_out_of_the_answer_and_said_so(server):
    answer = server.run("print(' ' * 1_000_000)", policy="default", limits={"output_bytes": 1 << 20},
                        cases=[{"expected": {"stdout": ""}}] * 40)
    left_out = [case.get("output_left_out", False) for case in answer["cases"]]
    assert 10 < left_out.count(False) < 20 and correct(answer) == [True] * 40
    for case in answer["cases"]:
        assert (case["stdout"] is None) == case.get("output_left_out", False)


# ── Errors ───────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("cases,field,says", [
    ([], "cases", "1 to 1000 is allowed"), ([{}] * 1001, "cases", "length 1001, and 1 to 1000 is allowed"),
    ({}, "cases", "must be an array"), ([1], "cases[0]", "must be an object with name, stdin"),
    ([{}, {"code": "1"}], "cases[1].code", "is unknown in a case: use name, stdin, args"),
    ([{"stdin": 5}], "cases[0].stdin", "must be a string"),
    ([{"args": "x"}], "cases[0].args", "must be an array of strings"),
    ([{"args": [1]}], "cases[0].args[0]", "must be a string"),
    ([{"env": {"": "x"}}], "cases[0].env.", "must have a name"),
    ([{"files": {"a": 1}}], "cases[0].files.a", "must be a string"),
    ([{"files": {"../a": ""}}], "cases[0].files", "leads out of"),
    ([{"files": {"main.py": ""}}], "cases[0].files", "has the name of the script"),
    ([{"call": "not a name"}], "cases[0].call", "is not the name of a function"),
    ([{"expected": "5"}], "cases[0].expected", "must be an object with stdout, result, compare"),
    ([{"expected": {}}], "cases[0].expected", 'must have "stdout" or "result"'),
    ([{"expected": {"output": ""}}], "cases[0].expected.output", "use stdout, result, compare"),
    ([{}] * 17 + [{"expected": {"stdout": "", "compare": "fuzzy"}}], "cases[17].expected.compare",
     'must be "exact", "lines", "tokens" or {"float": 1e-6}'),
    ([{"expected": {"stdout": "", "compare": {"float": -1}}}], "cases[0].expected.compare", "from 0 to 1"),
    ([{"expected": {"result": 1, "compare": "exact"}}], "cases[0].expected.compare", 'is about "stdout"'),
    ([{"expected": {"result": 10**30}}], "cases[0].expected.result", "more than 64 bits"),
])
def test_a_mistake_in_a_case_is_named(server, cases, field, says):
    where, error = refusal(server, cases=cases)
    assert where == field and says in error


def test_stop_is_one_of_two_words_and_needs_cases(server):
    assert refusal(server, cases=[{}], stop="later") == ("stop", '"stop" must be "never" or "first-failure"')
    assert refusal(server, stop="never")[0] == "stop"


def test_other_endpoints_have_no_cases(server):
    answer = server.post("/run_code", {"code": "1", "cases": [{}]})
    assert answer.status == 400 and answer.field == "cases"


def test_nothing_runs_when_any_case_has_a_mistake(serve):
    server = serve()
    assert server.post("/run", {"code": "1", "cases": [{}, {"args": [1]}]}).status == 400
    assert sum(value for name, value in server.metrics().items() if name[0] == "sandbox_jobs_total") == 0


# ── Memory ───────────────────────────────────────────────────────────────────────────────────────


def resident(server):
    with open(f"/proc/{server.pid}/status") as status:
        return int(next(line for line in status if line.startswith("VmRSS:")).split()[1]) << 10


def test_cases_share_one_copy_of_the_upload(serve):
    server = serve(jobs=2)
    assert server.run("print(1)", cases=[{}] * 10)["verdict"] == "ok"
    before, most = resident(server), 0
    answer = {}
    asked = threading.Thread(target=lambda: answer.update(server.run(
        "print(len(open('data').read()))", policy="default", files={"data": "x" * (1 << 20)},
        cases=[{"expected": {"stdout": str(1 << 20)}}] * 100)))
    asked.start()
    while asked.is_alive():
        most = max(most, resident(server))
    asked.join()
    assert answer["passed"] == 100 and most - before < 64 << 20, (before, most)

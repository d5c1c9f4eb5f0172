"""The log: one JSON record a job, and the name under which a request is found again."""

import hashlib
import re

import pytest

from http_client import bearer
from sandbox_serve import says

pytestmark = pytest.mark.cold

CODE = "print('a secret of the customer')\n# ü"


def test_each_job_is_one_record_with_all_that_is_known_of_it(serve):
    server = serve()
    answer = server.run(CODE)
    record = server.log.jobs(1)[0]
    assert record["id"] == answer["id"]
    assert record["client"] == "127.0.0.1"
    assert (record["endpoint"], record["policy"], record["start"]) == ("POST /run", "run", "cold")
    assert (record["verdict"], record["limit"], record["signal"]) == ("ok", None, None)
    assert record["code_sha256"] == hashlib.sha256(CODE.encode()).hexdigest()
    assert record["code_bytes"] == len(CODE.encode())
    assert record["waited_ms"] >= 0
    for name, value in answer["usage"].items():
        assert abs(record[name] - value) <= 1, name
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", record["time"])
    assert record["level"] == "info" and record["message"]


@pytest.mark.parametrize("path,field,policy", [("/run_code", "code", "run_code"), ("/execute", "code", "execute"),
                                               ("/execute", "script", "execute_script")])
def test_every_endpoint_is_logged_with_its_policy(serve, path, field, policy):
    server = serve()
    server.post(path, {field: "def main(): pass"})
    record = server.log.jobs(1)[0]
    assert (record["policy"], record["endpoint"]) == (policy, f"POST {path}")


def test_a_token_is_logged_by_its_name(serve, token):
    server = serve(tokens=(token("alice"), token.file)[1])
    alice = token("bob")
    server.signal(1)
    server.log.wait(says("read again"))
    server.run("pass", bearer(alice))
    assert server.log.jobs(1)[0]["token"] == "bob"


def test_code_is_in_the_log_only_when_that_is_asked_for(serve):
    silent, open_ = serve(), serve(log_code=True)
    for server in (silent, open_):
        server.run(CODE, stdin="of the customer too", args=["secret"])
        server.stop()
    assert "customer" not in str(silent.log)
    assert open_.log.jobs(1)[0]["code"] == CODE


ENDINGS = [
    # code, further fields, verdict, limit
    ("1/0", {}, "exception", None),
    ("raise SystemExit(3)", {}, "exit", None),
    ("x = b'a' * 200_000_000", {}, "memory", "memory_bytes"),
    ("import os; os.abort()", {}, "signal", None),
    ("import os; os.kill(os.getpid(), 40)", {}, "signal", None),
    ("import time; time.sleep(9)", {"timeout": 0.2}, "timeout", "wall_time_ms"),
    ("while True: pass", {"limits": {"cpu_time_ms": 100}}, "cpu_time", "cpu_time_ms"),
    ("def main(): return 'x' * 5000", {"call": "main", "limits": {"result_bytes": 1000}}, "output", "result_bytes"),
]


def test_a_job_that_ends_badly_is_logged_with_its_verdict_the_limit_and_the_signal(serve):
    server = serve()
    for number, (code, fields, verdict, limit) in enumerate(ENDINGS, 1):
        answer = server.run(code, **fields)
        record = server.log.jobs(number)[-1]
        assert (record["verdict"], record["limit"]) == (verdict, limit) == (answer["verdict"], limit), code
        assert (record["signal"], record["start"]) == (answer["signal"], answer["enforcement"]["start"]), code
    signals = [record["signal"] for record in server.log.jobs(len(ENDINGS))]
    assert [signals[3], signals[4]] == ["SIGABRT", "SIGRTMIN+6"]


def test_a_job_that_is_killed_for_its_output_has_that_limit(serve, policies):
    server = serve(policies=policies(run={"output": "kill", "limits": {"output_bytes": 1000}}))
    server.run("while True: print('x' * 1000)")
    record = server.log.jobs(1)[0]
    assert (record["verdict"], record["limit"]) == ("output", "output_bytes")


def test_nobody_can_forge_a_record(serve):
    server = serve(log_code=True)
    forged = '{"time": "now", "level": "info", "message": "forged", "verdict": "ok", "id": "forged"}'
    server.run(f"'''\n{forged}\n'''\nprint('''\n{forged}\n''')", {"X-Request-Id": "mine"})
    server.run("pass")
    records = server.log.jobs(2)
    server.stop()
    assert all(record["id"] != "forged" for record in records) and server.log.noise == []


# ── X-Request-Id ─────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("given", ["mine", "a-b_c.1", "0" * 64, "4bf92f3577b34da6a3ce929d0e0e4736"])
def test_a_plain_request_id_is_taken_over(serve, given):
    server = serve()
    answer = server.post("/run", {"code": "pass"}, {"X-Request-Id": given})
    assert answer.headers["X-Request-Id"] == given == answer.json["id"]
    assert server.log.jobs(1)[0]["id"] == given


@pytest.mark.parametrize("given", [None, "", "x" * 65, "a b", 'a"b', "a\\b", "<script>", "ü", "a\tb", "\x7f",
                                   '"}{"forged": 1}', "../../etc", "a,b;c" * 20])
def test_a_request_without_a_plain_id_is_given_one(serve, given):
    server = serve()
    answer = server.post("/run", {"code": "pass"}, {"X-Request-Id": given})
    made = answer.headers["X-Request-Id"]
    assert re.fullmatch(r"[A-Za-z0-9_.:-]{8,64}", made) and made != given
    assert answer.json["id"] == made == server.log.jobs(1)[0]["id"]


def test_ids_that_are_made_are_never_the_same(server):
    assert len({server.get("/health").headers["X-Request-Id"] for _ in range(50)}) == 50


def test_errors_have_an_id_too(server):
    for answer in (server.get("/nonsense"), server.post("/run", {"nonsense": 1}), server.get("/run"),
                   server.post("/run", {"code": "pass"}, {"Content-Type": "text/plain"})):
        assert answer.headers["X-Request-Id"]

"""The log: one JSON record a job, and the name under which a request is found again."""

import hashlib
import re

import pytest

from conftest import bearer, says

pytestmark = pytest.mark.cold

CODE = "print('a secret of the customer')\n# ü"


def test_each_job_is_one_record_with_all_that_is_known_of_it(serve):
    server = serve()
    answer = server.run(CODE)
    record = server.log.jobs(1)[0]
    assert record["id"] == answer["id"]
    assert record["client"] == "127.0.0.1"
    assert record["policy"] == "run"
    assert record["verdict"] == "ok"
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
    assert server.log.jobs(1)[0]["policy"] == policy


def test_a_token_is_logged_by_its_name(serve, token):
    server = serve(tokens=(token("alice"), token.file)[1])
    alice = token("bob")
    server.signal(1)
    server.log.wait(says("read anew"))
    server.run("pass", bearer(alice))
    assert server.log.jobs(1)[0]["token"] == "bob"


def test_code_is_in_the_log_only_when_that_is_asked_for(serve):
    silent, open_ = serve(), serve(log_code=True)
    for server in (silent, open_):
        server.run(CODE, stdin="of the customer too", args=["secret"])
        server.stop()
    assert "customer" not in str(silent.log)
    assert open_.log.jobs(1)[0]["code"] == CODE


def test_a_job_that_ends_badly_is_logged_with_its_verdict(serve):
    server = serve()
    for code in ("1/0", "x = b'a' * 200_000_000", "import os; os.abort()"):
        server.run(code)
    server.run("import time; time.sleep(9)", timeout=0.2)
    assert [record["verdict"] for record in server.log.jobs(4)] == ["exception", "memory", "signal", "timeout"]


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

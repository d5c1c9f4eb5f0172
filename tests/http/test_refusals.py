"""Refused requests leave a trace: a metric by reason and, not too often, a record, which holds nothing that a client
has made up."""

import pytest

from http_client import bearer
from sandbox_serve import says
from waiting import until

pytestmark = pytest.mark.cold

RUN = {"code": "print('RAN')"}
SECRET = "s3cr3t-of-the-client"


def refused(record):
    return record["message"] == "request refused"


def counted(server, headers=None):
    """reason → how many."""
    metrics = server.metrics(headers)
    return {name[1]: int(value) for name, value in metrics.items() if name[0] == "sandbox_refused_total"}


def raw(text):
    def send(server):
        with server.connect() as connection:
            connection.send(text)
            return connection.answer().status
    return send


def asks(method, path, body=None, headers=None):
    return lambda server: server.ask(method, path, body, headers).status


# How, status, reason, endpoint, field.
KINDS = [
    (asks("POST", "/run", {"code": "pass", SECRET: 1}), 400, "request", "POST /run", None),
    (asks("POST", "/run", {"code": "pass", "limits": {SECRET: 1}}), 400, "request", "POST /run", "limits"),
    (asks("POST", "/run", {"code": "pass", "policy": SECRET}), 400, "request", "POST /run", "policy"),
    (asks("POST", "/execute", b'{"code": "' + SECRET.encode()), 400, "request", "POST /execute", "code"),
    (asks("POST", "/run", RUN, {"Origin": f"http://{SECRET}.example"}), 403, "origin", None, None),
    (asks("POST", "/run", RUN, {"Sec-Fetch-Site": "cross-site"}), 403, "origin", None, None),
    (asks("GET", f"/{SECRET}"), 404, "not_found", None, None),
    (asks("GET", f"/run?{SECRET}"), 405, "method", None, None),
    (raw(f"POST /run HTTP/1.1\r\nHost: localhost\r\n{SECRET}"), 408, "slow", None, None),
    (asks("POST", "/run", {"code": SECRET * 1000}), 413, "too_large", None, None),
    (asks("POST", "/run", RUN, {"Content-Type": f"text/{SECRET}"}), 415, "type", "POST /run", None),
    (asks("POST", "/run", RUN, {"Host": f"{SECRET}.example"}), 421, "host", None, None),
    (asks("GET", "/version", None, {"X-Much": SECRET * 100}), 431, "too_large", None, None),
    (raw(f"GET /{SECRET} HTTP/9.9\r\n\r\n"), 505, "request", None, None),
    (raw(f"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: {SECRET}\r\n\r\n"), 400, "request", None, None),
    (raw("POST /run HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
         f"{SECRET}\r\n"), 400, "request", None, None),
    (raw("POST /run HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
         f"2000\r\n{SECRET * 500}"), 413, "too_large", "POST /run", None),
]


def test_each_refusal_is_counted_and_logged_by_its_reason_without_what_the_client_wrote(serve):
    server = serve(max_body=4096, max_header=1024, header_timeout="500ms")
    expected = counted(server)
    for number, (ask, status, reason, endpoint, field) in enumerate(KINDS):
        assert ask(server) == status, number
        expected[reason] += 1
        until(lambda: counted(server) == expected)
    # Of a client and reason five are logged at once; the rest is a number.
    records = server.log.wait(refused, 5)
    server.stop()
    records = server.log.all(refused)
    wanted = {(status, reason, endpoint, field) for _, status, reason, endpoint, field in KINDS}
    found = {tuple(record[name] for name in ("status", "reason", "endpoint", "field")) for record in records}
    assert found <= wanted and {reason for _, reason, _, _ in found} == {reason for _, reason, _, _ in wanted}
    silent = server.log.all(says("further requests were refused"))
    assert len(records) + sum(record["count"] for record in silent) == len(KINDS)
    assert SECRET not in str(server.log) and "secret" not in str(server.log).lower()
    assert all(record["level"] == "notice" for record in records)


def test_a_refusal_is_found_again_by_its_id_and_its_client(serve):
    server = serve()
    answer = server.post("/run", {"nonsense": 1}, {"X-Request-Id": "mine"}, source="127.0.0.9")
    record = server.log.wait(refused)
    assert (record["id"], record["client"]) == (answer.headers["X-Request-Id"], "127.0.0.9") == ("mine", "127.0.0.9")


def test_a_flood_of_refusals_does_not_fill_the_log_and_is_counted_whole(serve):
    server = serve()
    with server.connect() as connection:
        for _ in range(300):
            assert connection.ask("GET", "/nonsense").answer().status == 404
    assert server.post("/run", {"nonsense": 1}).status == 400, "another reason has a place of its own"
    assert server.log.wait(lambda record: record.get("reason") == "request")
    assert counted(server)["not_found"] == 300
    server.stop()
    logged = len(server.log.all(lambda record: refused(record) and record["reason"] == "not_found"))
    more = server.log.all(lambda record: "further" in record["message"] and record["reason"] == "not_found")
    assert logged < 100 and logged + sum(record["count"] for record in more) == 300


def test_a_full_queue_is_told(serve):
    server = serve(jobs=1, queue=0)
    held = server.hold(source="127.0.0.1").started()
    assert server.post("/run", RUN).status == 503
    record = server.log.wait(refused)
    assert (record["status"], record["reason"], record["endpoint"]) == (503, "queue_full", "POST /run")
    held.release()


def test_verdicts_and_health_are_no_refusals(serve):
    server = serve()
    before = counted(server)
    assert server.post("/run_code", {"code": "x = b'a' * 2_000_000_000"}).status == 500
    assert server.post("/execute", {"script": "def main(): 1/0"}).status == 400
    server.log.jobs(2)
    assert counted(server) == before and not server.log.all(refused)


# ── Tokens ───────────────────────────────────────────────────────────────────────────────────────


def test_refusals_for_tokens_are_told_by_name_and_never_by_the_token(serve, token):
    alice, slow = token("alice", policy="run_code"), token("slow", rate=0.01)
    server = serve(tokens=token.file, burst=1)
    assert server.post("/run", RUN).status == 401
    assert server.post("/run", RUN, bearer(SECRET)).status == 401
    assert server.post("/run", {**RUN, "policy": "run"}, bearer(alice)).status == 403
    assert [server.post("/run", RUN, bearer(slow)).status for _ in range(2)] == [200, 429]
    records = server.log.wait(refused, 4)
    assert [(record["status"], record["reason"], record["token"]) for record in records] == [
        (401, "token", None), (401, "token", None), (403, "forbidden", "alice"), (429, "rate", "slow")]
    server.stop()
    assert not any(secret in str(server.log) for secret in (SECRET, alice, slow))


def test_wrong_tokens_have_a_rate_of_their_own_which_is_not_that_of_right_ones(serve, token):
    alice = token("alice")
    server = serve(tokens=token.file)
    statuses = []
    with server.connect() as connection:
        while 429 not in statuses:
            answer = connection.ask("POST", "/run", RUN, bearer(f"{SECRET}{len(statuses)}")).answer()
            statuses.append(answer.status)
    assert len(statuses) > 20 and set(statuses[:-1]) == {401}
    assert 1 <= int(answer.headers["Retry-After"]) <= 2 and "token" in answer.error
    assert server.post("/run", RUN, bearer(alice)).status == 200, "whoever has a token is not kept out by others"
    assert server.post("/run", RUN, bearer(SECRET), source="127.0.0.2").status == 401, "nor another address"
    found = counted(server, bearer(alice))
    assert (found["token_rate"], found["token"]) == (1, statuses.count(401) + 1)
    assert server.log.wait(lambda record: record.get("reason") == "token_rate")["status"] == 429

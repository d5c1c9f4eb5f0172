"""Access to the service: tokens, rates, addresses behind proxies."""

import hashlib
import json
import re
import signal
import stat

import pytest

from http_client import bearer
from sandbox_serve import options, says, token_command
from waiting import until

pytestmark = pytest.mark.cold

RUN = {"code": "print('RAN')"}


# ── Tokens: the file ─────────────────────────────────────────────────────────────────────────────


def test_a_token_is_shown_once_and_only_its_hash_is_kept(token):
    made = token("alice")
    assert len(made) >= 32
    kept = token.file.read_text()
    assert made not in kept and "alice" in kept
    assert not any(part in kept for part in (made[4:20], made[-16:]))
    digest = hashlib.sha256(made.encode()).hexdigest()
    assert digest in kept or re.search(r"[0-9a-f]{64}|\$\w+\$", kept)


def test_the_file_of_tokens_is_its_owners_alone(token):
    for name in ("alice", "bob"):
        token(name)
        assert stat.S_IMODE(token.file.stat().st_mode) == 0o600


def test_each_token_is_another(token):
    assert len({token(f"name{n}") for n in range(5)}) == 5


def test_tokens_are_listed_by_name_with_their_limits_and_without_the_secret(token):
    made = [token("alice", policy="run", rate=2.5, jobs=3), token("bob")]
    listed = token_command("list", *options(tokens=token.file))
    assert listed.returncode == 0
    assert re.search(r"alice.*run.*2\.5.*3|alice.*", listed.stdout) and "bob" in listed.stdout
    assert not any(secret in listed.stdout for secret in made)


def test_a_name_that_is_taken_or_cannot_be_is_refused(token):
    token("alice")
    before = token.file.read_bytes()
    for name in ("alice", "", "a b", "a\nb", "x" * 1000, "ü:"):
        ran = token_command("add", name, *options(tokens=token.file))
        assert ran.returncode != 0 and ran.stderr and not ran.stdout, name
    assert token.file.read_bytes() == before


def test_removing_a_token_that_is_not_there_is_an_error(token):
    token("alice")
    ran = token_command("remove", "bob", *options(tokens=token.file))
    assert ran.returncode != 0 and "bob" in ran.stderr


def test_a_file_of_tokens_that_is_not_there_is_refused(tmp_path, refused):
    assert "tokens" in refused(tokens=tmp_path / "nothing")


def test_a_broken_file_of_tokens_is_refused(token, refused):
    token("alice")
    with open(token.file, "a", encoding="utf-8") as file:
        file.write("what is this\n")
    assert str(token.file) in refused(tokens=token.file)


# ── Tokens: asking ───────────────────────────────────────────────────────────────────────────────


def test_a_token_opens_and_no_other_does(token, serve):
    alice = token("alice")
    server = serve(tokens=token.file)
    assert server.run("print('RAN')", bearer(alice))["output"] == "RAN"
    wrong = alice[:-1] + ("a" if alice[-1] != "a" else "b")
    for headers in ({}, bearer(wrong), bearer(""), bearer(alice + "x"), bearer(alice[:-1]), bearer("x" * 5000),
                    {"Authorization": alice}, {"Authorization": f"Basic {alice}"}, {"Authorization": "Bearer"},
                    {"Authorization": f"Bearer {alice} {alice}"}, {"Authorization": f"Bearer{alice}"},
                    {"Authorization": ""}, {"X-Token": alice}, {"Cookie": f"token={alice}"}):
        answer = server.post("/run", RUN, headers)
        assert answer.status == 401 and answer.error, headers
        assert answer.headers["WWW-Authenticate"].startswith("Bearer")
        assert alice not in answer.text


def test_the_word_bearer_may_be_written_in_any_case(token, serve):
    alice = token("alice")
    server = serve(tokens=token.file)
    assert server.post("/run", RUN, {"Authorization": f"bearer {alice}"}).status == 200


@pytest.mark.parametrize("path", ["/run_code", "/execute", "/run"])
def test_every_way_to_run_code_needs_a_token(token, serve, path):
    token("alice")
    server = serve(tokens=token.file)
    assert server.post(path, RUN).status == 401


def test_health_version_and_pages_need_none(token, serve):
    token("alice")
    server = serve(tokens=token.file)
    for path in ("/health", "/version", "/", "/docs", "/openapi.json"):
        assert server.get(path).status == 200, path
    assert server.get("/metrics").status == 401


def test_a_token_is_in_no_log(token, serve):
    alice = token("alice")
    server = serve(tokens=token.file, log_code=True)
    server.run("pass", bearer(alice))
    server.post("/run", RUN, bearer(alice + "x"))
    record = server.log.jobs(1)[0]
    server.stop()
    assert "alice" in json.dumps(record) and alice not in str(server.log)


def test_tokens_are_taken_and_dropped_on_reload(token, serve):
    alice = token("alice")
    server = serve(tokens=token.file)
    bob = token("bob")
    assert server.post("/run", RUN, bearer(bob)).status == 401
    server.signal(signal.SIGHUP)
    server.log.wait(says("read again"))
    assert server.post("/run", RUN, bearer(bob)).status == 200
    assert token_command("remove", "alice", *options(tokens=token.file)).returncode == 0
    server.signal(signal.SIGHUP)
    server.log.wait(says("read again"), 2)
    assert server.post("/run", RUN, bearer(alice)).status == 401
    assert server.post("/run", RUN, bearer(bob)).status == 200


def test_a_broken_file_of_tokens_on_reload_leaves_the_old_ones(token, serve):
    alice = token("alice")
    server = serve(tokens=token.file)
    token.file.write_text("what is this\n")
    server.signal(signal.SIGHUP)
    server.log.wait(lambda record: str(token.file) in record["message"])
    assert server.post("/run", RUN, bearer(alice)).status == 200
    assert server.post("/run", RUN, bearer("what")).status == 401


def test_a_token_with_a_policy_runs_under_that_one_only(token, serve):
    alice = token("alice", policy="run_code")
    server = serve(tokens=token.file)
    assert server.post("/run_code", RUN, bearer(alice)).json["output"] == "RAN"
    assert server.run("open('/tmp/x', 'w')\nprint('RAN')", bearer(alice), policy="run_code")["output"] == "RAN"
    for path, body in (("/run", {**RUN, "policy": "run"}), ("/run", {**RUN, "policy": "default"}),
                       ("/execute", RUN)):
        answer = server.post(path, body, bearer(alice))
        assert answer.status == 403 and "run_code" in answer.error, answer


def test_a_token_with_a_rate_is_held_to_it_and_another_is_not(token, serve):
    slow, free = token("slow", rate=0.01), token("free")
    server = serve(tokens=token.file, burst=2)
    assert [server.post("/run", RUN, bearer(slow)).status for _ in range(3)] == [200, 200, 429]
    assert [server.post("/run", RUN, bearer(free)).status for _ in range(4)] == [200] * 4


def test_a_token_with_a_number_of_jobs_never_has_more(token, serve):
    one, free = token("one", jobs=1), token("free")
    server = serve(tokens=token.file, jobs=4)
    first = server.hold(bearer(one)).started()
    second = server.hold(bearer(one))
    other = server.hold(bearer(free)).started()
    assert second.pid() is None
    other.release()
    first.release()
    second.release()


# ── Rates ────────────────────────────────────────────────────────────────────────────────────────


def test_too_many_requests_of_one_client_are_429_with_when_to_come_again(serve):
    server = serve(rate=0.05, burst=3)
    assert [server.post("/run", RUN).status for _ in range(3)] == [200] * 3
    answer = server.post("/run", RUN)
    assert answer.status == 429 and answer.error.endswith(f": try again in {answer.headers['Retry-After']} s")
    assert "0.05 requests per second" in answer.error
    assert 1 <= int(answer.headers["Retry-After"]) <= 20
    assert server.post("/run", RUN, source="127.0.0.2").status == 200, "another client has a rate of its own"
    assert server.get("/health").status == 200


def test_a_rate_of_one_is_one_request(serve):
    server = serve(rate=1, burst=1)
    server.post("/run", RUN)
    said = [answer.error for answer in (server.post("/run", RUN) for _ in range(20)) if answer.status == 429]
    assert said and set(said) == {"the rate limit of 1 request per second is exceeded: try again in 1 s"}


def test_a_client_that_waited_may_ask_again(serve):
    server = serve(rate=2, burst=1)
    assert server.post("/run", RUN).status == 200
    until(lambda: server.post("/run", RUN).status == 200)


# ── Proxies ──────────────────────────────────────────────────────────────────────────────────────

FORWARDED = [
    # from, X-Forwarded-For, whom the service takes it for
    ("127.0.0.2", "203.0.113.7", "203.0.113.7"),
    ("127.0.0.2", "2001:db8::7", "2001:db8::7"),
    ("127.0.0.2", "192.0.2.1, 203.0.113.7", "203.0.113.7"),
    ("127.0.0.2", "203.0.113.7, 127.0.0.2", "203.0.113.7"),
    ("127.0.0.2", "203.0.113.7, 10.1.2.3", "203.0.113.7"),
    ("127.0.0.2", "nonsense", "127.0.0.2"),
    ("127.0.0.2", "", "127.0.0.2"),
    ("127.0.0.2", None, "127.0.0.2"),
    ("127.0.0.3", "203.0.113.7", "127.0.0.3"),
    ("127.0.0.3", "203.0.113.7, 127.0.0.2", "127.0.0.3"),
]


def test_only_a_trusted_proxy_says_who_asks(serve):
    server = serve(trusted_proxy=["127.0.0.2", "10.0.0.0/8"])
    for count, (source, forwarded, client) in enumerate(FORWARDED, 1):
        server.post("/run", RUN, {"X-Forwarded-For": forwarded}, source=source)
        assert server.log.jobs(count)[-1]["client"] == client, (source, forwarded)


def test_without_trusted_proxies_nobody_says_who_asks(serve):
    server = serve(rate=0.01, burst=1)
    assert server.post("/run", RUN, {"X-Forwarded-For": "203.0.113.7"}).status == 200
    assert server.post("/run", RUN, {"X-Forwarded-For": "203.0.113.8"}).status == 429
    assert server.log.jobs(1)[0]["client"] == "127.0.0.1"


def test_clients_behind_a_proxy_have_rates_of_their_own(serve):
    server = serve(rate=0.01, burst=1, trusted_proxy=["127.0.0.1"])
    for client in ("203.0.113.7", "203.0.113.8", "2001:db8:1::1", "2001:db8:2::1"):
        assert server.post("/run", RUN, {"X-Forwarded-For": client}).status == 200
        assert server.post("/run", RUN, {"X-Forwarded-For": client}).status == 429
    # A whole /64 is one client's to take addresses from.
    assert server.post("/run", RUN, {"X-Forwarded-For": "2001:db8:1::ffff"}).status == 429

"""Behind a proxy: those that the manual has examples for, and those that nobody has told anything."""

import os

import pytest

from http_client import bearer
from proxies import NAME, plain, snippet, upstream
from sandbox_serve import Waiting, command, isolated, network_of, says

pytestmark = pytest.mark.cold

RUN = {"code": "print('RAN')"}
KINDS = ["nginx", "haproxy"]


def page(place=NAME, scheme="https", **more):
    """The headers of a browser that shows the service's page."""
    return {"Host": place, "Origin": f"{scheme}://{place}", **more}


SAME = {"Sec-Fetch-Site": "same-origin"}


@pytest.fixture(params=["TCP", "UNIX"])
def behind(request, serve, proxy, tmp_path):
    """behind(kind, …): (server, the manual's proxy in front of it)"""
    where = {"TCP": {"trusted_proxy": "127.0.0.1"},
             "UNIX": {"trusted_proxy": "unix", "listen": f"unix:{tmp_path}/socket"}}[request.param]

    def start(kind, **chosen):
        server = serve(**where, **chosen)
        return server, proxy(kind, upstream(kind, snippet(kind), server))
    return start


# ── As the manual has it ─────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("kind", KINDS)
def test_the_page_can_run_code_and_pages_of_others_can_not(behind, kind):
    server, front = behind(kind, host=NAME)
    for told in ({}, SAME):
        for place in (NAME, f"{NAME}:8443"):
            assert front.post("/run", RUN, page(place, **told)).json["output"] == "RAN"
    for site in ({}, {"Sec-Fetch-Site": "cross-site"}):
        for origin in ("https://evil.example", f"https://{NAME}:1", f"https://{NAME}.evil.example", "null"):
            assert front.post("/run", RUN, {"Host": NAME, "Origin": origin, **site}).status == 403
    if not isinstance(server.address, str):  # on a UNIX socket any name will do
        for told in ({}, SAME):
            assert front.post("/run", RUN, page("evil.example", **told)).status == 421


@pytest.mark.parametrize("kind", KINDS)
def test_clients_are_told_apart_and_can_not_pretend_to_be_another(behind, kind):
    server, front = behind(kind, host=NAME)
    forged = {"X-Forwarded-For": "203.0.113.9"}
    for source in ("127.0.0.7", "127.0.0.8"):
        assert front.post("/run", RUN, page(**forged), source=source).status == 200
    assert {record["client"] for record in server.log.jobs(2)} == {"127.0.0.7", "127.0.0.8"}
    server.stop()
    assert not server.log.all(says("--trusted-proxy"))


@pytest.mark.parametrize("kind", KINDS)
def test_a_client_that_leaves_takes_its_job_with_it(behind, kind):
    server, front = behind(kind, host=NAME)
    waiting = Waiting(server)
    connection = front.send("POST", "/run", {"code": waiting.code, "policy": "default"}, page())
    waiting.started()
    connection.close()
    assert server.log.jobs(1)[0]["status"] is None


@pytest.mark.parametrize("kind", KINDS)
def test_a_body_may_be_as_large_as_the_service_takes_it(behind, kind):
    _, front = behind(kind, host=NAME)
    answer = front.post("/run", {"code": "print(len(input()))", "stdin": "x" * 1500000}, page())
    assert answer.json["output"] == "1500000"


# ── A proxy that has been told nothing ───────────────────────────────────────────────────────────


@pytest.mark.parametrize("lines", ["", "proxy_set_header Host $host;"])
def test_behind_a_plain_proxy_pass_the_page_can_run_code_where_the_browser_says_that_it_is_ours(serve, proxy, lines):
    server = serve(host=NAME)
    front = proxy("nginx", plain(server, lines))
    for place in ("localhost:8443", "127.0.0.1:8443", f"{NAME}:8443", NAME):
        assert front.post("/run", RUN, page(place, **SAME)).json["output"] == "RAN"
    for place in ("evil.example", "evil.example:8443", "127.0.0.1.nip.io"):
        answer = front.post("/run", RUN, page(place, **SAME))
        assert answer.status == 421 and f"--host {place.partition(':')[0]}" in answer.error
    for site in ("cross-site", "same-site", "none", None):
        for origin in ("https://evil.example", "https://localhost:1", "null"):
            answer = front.post("/run", RUN, {"Host": "localhost:8443", "Origin": origin, "Sec-Fetch-Site": site})
            assert answer.status == 403, (site, origin)


def test_a_browser_that_does_not_say_so_is_told_which_header_is_missing(serve, proxy):
    server = serve()
    front = proxy("nginx", plain(server))
    answer = front.post("/run", RUN, page("192.0.2.1:8443", "http"))
    assert answer.status == 403 and answer.field == "Origin"
    assert "proxy_set_header Host $http_host" in answer.error
    front = proxy("nginx", plain(server, "proxy_set_header Host $http_host;"))
    assert front.post("/run", RUN, page("192.0.2.1:8443", "http")).json["output"] == "RAN"


# ── What the log says ────────────────────────────────────────────────────────────────────────────

FORWARDED = {"X-Forwarded-For": "203.0.113.9"}


@pytest.mark.parametrize("workers", [1, 2])
def test_on_a_unix_socket_the_log_says_once_that_a_proxys_clients_are_one(serve, tmp_path, workers):
    server = serve(listen=[f"unix:{tmp_path}/socket", f"unix:{tmp_path}/other"], workers=workers)
    for _ in range(3):
        server.post("/run", RUN, FORWARDED)
    assert {record["client"] for record in server.log.jobs(3)} == {f"unix {os.geteuid()}"}
    server.stop()
    said = server.log.all(says("--trusted-proxy unix"))
    assert len(said) == 1 and "X-Forwarded-For" in said[0]["message"]


def test_on_loopback_it_says_so_once_when_a_proxy_seems_to_be_there(serve):
    server = serve()
    server.post("/run", RUN)
    assert not server.log.all(says("--trusted-proxy"))
    for source in ("127.0.0.1", "127.0.0.1", "127.0.0.2"):
        server.post("/run", RUN, FORWARDED, source=source)
    server.stop()
    assert len(server.log.all(says("--trusted-proxy 127.0.0.1"))) == 1


@pytest.mark.parametrize("reason", ["trusted", "tokens"])
def test_where_clients_are_told_apart_it_says_nothing(serve, token, tmp_path, reason):
    alice = token("alice")
    more = {"trusted_proxy": "unix"} if reason == "trusted" else {"tokens": token.file}
    server = serve(listen=f"unix:{tmp_path}/socket", **more)
    assert server.post("/run", RUN, bearer(alice)).json["output"] == "RAN"
    server.stop()
    assert not server.log.all(says("--trusted-proxy"))


# ── Its connections ──────────────────────────────────────────────────────────────────────────────


def test_its_connections_are_not_counted_as_one_clients(launch):
    server = launch(isolated(command(listen="0.0.0.0:0", insecure=True, connections_per_address=2,
                                     trusted_proxy="192.0.2.1")))
    port = server.listening().address[1]
    with network_of(server):
        def kept(number, source):
            connections = [server.connect(address=("192.0.2.1", port), source=source) for _ in range(number)]
            answers = []
            for connection in connections:
                try:
                    answers.append(connection.ask("GET", "/health", None, {"Host": "192.0.2.1"}).answer())
                except (BrokenPipeError, ConnectionResetError):
                    answers.append(None)
            return sum(answer is not None and answer.status == 200 for answer in answers), connections
        proxy, mine = kept(10, "192.0.2.1")
        other, others = kept(10, "192.0.2.2")
        assert (proxy, other) == (10, 2)
        for connection in mine + others:
            connection.close()

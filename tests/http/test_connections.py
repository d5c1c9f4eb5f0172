"""Clients that send too much, too slowly, incompletely or many requests at once: they are cut off, and other clients
notice nothing."""

import json
import resource
import signal
import socket

import pytest

from http_client import request
from sandbox_serve import command, isolated, network_of
from waiting import until

pytestmark = pytest.mark.cold

RUN = json.dumps({"code": "print('RAN')"}).encode()


def chunked(*chunks):
    return b"".join(b"%x\r\n%s\r\n" % (len(chunk), chunk) for chunk in chunks) + b"0\r\n\r\n"


HEAD = b"POST /run HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"


# ── Too much ─────────────────────────────────────────────────────────────────────────────────────


def test_a_body_that_is_said_to_be_too_large_is_413_before_it_is_sent(serve):
    server = serve(max_body=10000)
    with server.connect() as connection:
        connection.send(HEAD + b"Content-Length: 10001\r\n\r\n")
        answer = connection.answer()
        assert answer.status == 413 and answer.error
    assert server.post("/run", {"code": "print(1)" + "#" * 4000}).json["output"] == "1"


@pytest.mark.parametrize("length", ["99999999999999999999999999", "18446744073709551615", "9223372036854775807"])
def test_a_length_beyond_all_numbers_is_refused(server, length):
    with server.connect() as connection:
        connection.send(HEAD + f"Content-Length: {length}\r\n\r\n".encode())
        answer = connection.answer()  # libmicrohttpd's own
        assert answer is None or answer.status in (400, 413)


def test_a_chunked_body_that_grows_too_large_is_413(serve):
    server = serve(max_body=10000)
    with server.connect() as connection:
        connection.send(HEAD + b"Transfer-Encoding: chunked\r\n\r\n" + (b"3e8\r\n" + b"x" * 1000 + b"\r\n") * 11)
        answer = connection.answer()
        assert answer.status == 413 and answer.error


def test_a_body_of_exactly_the_limit_is_taken(serve):
    server = serve(max_body=10000)
    body = RUN + b" " * (10000 - len(RUN))
    assert server.post("/run", body).json["output"] == "RAN"
    answer = server.ask("POST", "/run", body + b" ")
    assert answer.status == 413 and answer.error


def test_a_client_that_waits_to_be_told_to_go_on_is_told_first(serve):
    """With Expect: 100-continue a body that is too large is never sent."""
    server = serve(max_body=10000)
    with server.connect() as connection:
        connection.send(HEAD + b"Content-Length: 20000\r\nExpect: 100-continue\r\n\r\n")
        assert connection.answer().status == 413
    with server.connect() as connection:
        connection.send(HEAD + b"Expect: 100-continue\r\nContent-Length: %d\r\n\r\n" % len(RUN))
        assert connection.socket.recv(25, socket.MSG_PEEK).startswith(b"HTTP/1.1 100 ")
        connection.send(RUN)
        assert connection.answer().json["output"] == "RAN"


@pytest.mark.parametrize("head", [
    b"GET /health HTTP/1.1\r\nHost: localhost\r\nX-Large: " + b"x" * 100000 + b"\r\n\r\n",
    b"GET /health HTTP/1.1\r\nHost: localhost\r\n" + b"X-Many: x\r\n" * 10000 + b"\r\n",
    b"GET /health?" + b"x" * 100000 + b" HTTP/1.1\r\nHost: localhost\r\n\r\n",
    b"G" * 100000 + b" /health HTTP/1.1\r\nHost: localhost\r\n\r\n",
], ids=["one header", "many headers", "query", "method"])
def test_a_header_that_is_too_large_is_refused(server, head):
    with server.connect() as connection:
        try:
            connection.send(head)
            answer = connection.answer()
        except (BrokenPipeError, ConnectionResetError):
            answer = None
        assert answer is None or answer.status in (400, 413, 414, 431)
    assert server.get("/health").status == 200


# ── Chunks ───────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("chunks", [[RUN], [RUN[:5], RUN[5:]], [bytes([byte]) for byte in RUN]])
def test_a_chunked_body_is_put_together(server, chunks):
    with server.connect() as connection:
        connection.send(HEAD + b"Transfer-Encoding: chunked\r\n\r\n" + chunked(*chunks))
        assert connection.answer().json["output"] == "RAN"
        assert connection.ask("GET", "/health").answer().status == 200


def test_a_body_that_comes_byte_by_byte_is_put_together(server):
    with server.connect() as connection:
        for byte in HEAD + b"Content-Length: %d\r\n\r\n" % len(RUN) + RUN:
            connection.send(bytes([byte]))
        assert connection.answer().json["output"] == "RAN"


# ── Too slow ─────────────────────────────────────────────────────────────────────────────────────

SLOW = {
    "nothing at all": (b"", b""),
    "half a request line": (b"POST /ru", b""),
    "a header byte by byte": (b"POST /run HTTP/1.1\r\nHost: localhost\r\nX-Slow: ", b"x"),
    "header lines one by one": (b"POST /run HTTP/1.1\r\nHost: localhost\r\n", b"X-Slow: x\r\n"),
    "no body": (HEAD + b"Content-Length: 10000\r\n\r\n", b""),
    "a body byte by byte": (HEAD + b"Content-Length: 10000\r\n\r\n", b" "),
    "a chunked body byte by byte": (HEAD + b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\n \r\n"),
    "half a body": (HEAD + b"Content-Length: 10000\r\n\r\n" + RUN, b""),
}


@pytest.mark.parametrize("slow", SLOW)
def test_a_slow_client_is_cut_at_the_deadline_however_often_it_sends_a_byte(serve, slow):
    first, then = SLOW[slow]
    server = serve(header_timeout="400ms", body_timeout="400ms", idle_timeout="400ms")
    with server.connect() as connection:
        connection.send(first)
        connection.socket.settimeout(0.05 if then else None)
        ended = False
        while not ended:  # the alarm of the test is what ends a server that waits for ever
            try:
                ended = not connection.socket.recv(65536)
            except TimeoutError:
                try:
                    connection.send(then)
                except OSError:
                    ended = True
            except ConnectionResetError:
                ended = True
    assert server.get("/health").status == 200


def test_a_kept_connection_is_cut_when_it_stays_idle(serve):
    server = serve(idle_timeout="300ms")
    with server.connect() as connection:
        assert connection.ask("GET", "/health").answer().status == 200
        assert connection.ended()


def test_a_client_that_waits_for_its_job_is_not_cut(serve):
    """No deadline for the client's sending counts while the service is at work."""
    server = serve(header_timeout="300ms", body_timeout="300ms", idle_timeout="300ms")
    assert server.run("import time; time.sleep(1.5); print('done')")["output"] == "done"


def test_a_client_that_does_not_read_its_answer_holds_nobody_up(serve):
    server = serve(idle_timeout="1000ms", jobs=1)
    flood = {"code": "print('x' * 4_000_000)", "policy": "run", "limits": {"output_bytes": 8388608}}
    with server.connect() as connection:
        connection.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        connection.ask("POST", "/run", flood)
        server.log.jobs(1)
        assert server.run("print('mine')")["output"] == "mine"


# ── Half ─────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("sent", [b"", b"P", HEAD, HEAD + b"Content-Length: 100\r\n\r\n",
                                  HEAD + b"Content-Length: 100\r\n\r\n" + RUN,
                                  HEAD + b"Transfer-Encoding: chunked\r\n\r\n5\r\n",
                                  HEAD + b"Transfer-Encoding: chunked\r\n\r\n" + chunked(RUN)[:-2]])
def test_a_connection_that_closes_half_way_runs_nothing(serve, sent):
    server = serve()
    for _ in range(20):
        with server.connect() as connection:
            connection.send(sent)
            connection.socket.shutdown(socket.SHUT_WR)
            answer = connection.answer()
            assert answer is None or answer.status >= 400
    server.run("pass")
    assert len(server.log.jobs(1)) == len(server.log.all(lambda record: "verdict" in record)) == 1


# ── Versions ─────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("requests", [1, 3])
def test_a_client_that_closed_its_side_with_its_last_request_is_answered_and_let_go(serve, requests):
    server = serve(idle_timeout="1h")
    with server.connect() as connection:
        # Nothing is read of it before all of it is there, its end included.
        server.signal(signal.SIGSTOP)
        connection.send(b"GET /version HTTP/1.1\r\nHost: localhost\r\n\r\n" * requests)
        connection.socket.shutdown(socket.SHUT_WR)
        server.signal(signal.SIGCONT)
        assert [connection.answer().status for _ in range(requests)] == [200] * requests
        assert connection.answer() is None


def test_http_1_0_is_answered_and_the_connection_closed(server):
    with server.connect() as connection:
        connection.send(b"GET /health HTTP/1.0\r\nHost: localhost\r\n\r\n")
        assert connection.answer().json["status"] == "healthy"
        assert connection.ended()


def test_http_1_0_runs_code_too(server):
    with server.connect() as connection:
        connection.send(b"POST /run HTTP/1.0\r\nHost: localhost\r\nContent-Type: application/json\r\n"
                        b"Content-Length: %d\r\n\r\n" % len(RUN) + RUN)
        assert connection.answer().json["output"] == "RAN"


@pytest.mark.parametrize("line", [b"GET /health HTTP/2.0", b"GET /health HTTP/3.1", b"GET /health HTTQ/1.1",
                                  b"GET /health HTTP/1.1.1", b"GET /health FTP", b"\x16\x03\x01\x02\x00\x01\x00",
                                  b"PRI * HTTP/2.0", b"\0\0\0\0", b"GET", b"GET  /health  HTTP/1.1 x", b"\xff\xfe"])
def test_what_is_not_http_1_is_refused_or_cut(server, line):
    with server.connect() as connection:
        connection.send(line + b"\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        connection.socket.shutdown(socket.SHUT_WR)
        data = b""
        while part := connection.socket.recv(65536):
            data += part
        assert not data.startswith(b"HTTP/1.1 2") and not data.startswith(b"HTTP/1.0 2"), data
    assert server.get("/health").status == 200


def test_pipelined_requests_are_answered_in_their_order(server):
    with server.connect() as connection:
        connection.send(b"".join(request("POST", "/run", {"code": f"print({n})"}) for n in range(8)))
        assert [connection.answer().json["output"] for _ in range(8)] == [str(n) for n in range(8)]


def test_a_pipelining_client_that_leaves_takes_its_requests_with_it(serve):
    server = serve(jobs=1)
    held = server.hold().started()
    with server.connect() as connection:
        connection.send(b"".join(request("POST", "/run", {"code": "pass"}) for n in range(50)))
    held.release()
    server.run("print('mine')")
    until(lambda: server.metric("sandbox_queue_length") == 0)
    assert len(server.log.all(lambda record: "verdict" in record)) <= 2 + 1


# ── Many ─────────────────────────────────────────────────────────────────────────────────────────


def test_a_thousand_idle_connections_do_not_keep_a_request_waiting(serve):
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 4096), hard))
    try:
        server = serve(connections=2000)
        idle = [server.connect(source=f"127.0.1.{n % 250 + 1}") for n in range(1000)]
        for connection in idle[::2]:
            connection.send(b"POST /run HTTP/1.1\r\nHost: loc")
        assert server.run("print('at once')")["output"] == "at once"
        assert server.metric("sandbox_http_connections") >= 1000
        for connection in idle:
            connection.close()
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_connections_beyond_the_limit_wait_until_others_leave_and_idle_ones_make_room(serve):
    server = serve(connections=4, jobs=8)
    held = [server.hold().started() for _ in range(3)]
    idle = server.connect()
    assert idle.ask("GET", "/health").answer().status == 200
    assert server.get("/health").status == 200  # in the idle one's place
    assert idle.ended()
    held.append(server.hold().started())
    waits = server.send("GET", "/health")
    held.pop().release()
    assert waits.answer().status == 200
    for each in held:
        each.release()


def can_ask(server, **where):
    """Whether a connection is answered rather than closed."""
    try:
        with server.connect(**where) as connection:
            answer = connection.ask("GET", "/health").answer()
            return answer is not None and answer.status == 200
    except (BrokenPipeError, ConnectionResetError):
        return False


def test_connections_of_one_address_beyond_its_limit_are_closed_and_others_come_in(launch):
    """In a network namespace with addresses that are not loopback's: that one has no limit."""
    server = launch(isolated(command(listen="0.0.0.0:0", insecure=True, connections_per_address=5)))
    port = server.listening().address[1]
    with network_of(server):
        where = [{"address": ("192.0.2.1", port), "source": f"192.0.2.{n}"} for n in (1, 2)]
        kept = [server.connect(**where[0]) for _ in range(5)]
        for connection in kept:
            assert connection.ask("GET", "/health", None, {"Host": "192.0.2.1"}).answer().status == 200
        assert not can_ask(server, **where[0])
        assert can_ask(server, **where[1])
        assert kept[0].ask("GET", "/health").answer().status == 200
        kept.pop().close()
        until(lambda: can_ask(server, **where[0]))
    server.stop()

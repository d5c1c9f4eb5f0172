"""One client that takes all connections, or all memory for requests, and finishes nothing does not shut out others.
Every deadline is an hour, so a client can lose nothing but its own place."""

import contextlib
import os
import socket
import ssl
import subprocess

import pytest

from http_client import Connection, request
from sandbox_serve import command, isolated, network_of

pytestmark = pytest.mark.cold

HOUR = dict(header_timeout="1h", body_timeout="1h", idle_timeout="1h")
HEAD = b"POST /run HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
BODY = 2 << 20

UNFINISHED = {
    "nothing": b"",
    "half a header": b"POST /run HTTP/1.1\r\nHost: loc",
    "no body": HEAD + b"Content-Length: 100\r\n\r\n",
    "half a body": HEAD + b"Content-Length: 100\r\n\r\n{",
    "half a chunk": HEAD + b"Transfer-Encoding: chunked\r\n\r\n5\r\n{",
    "a second request that is not finished": b"GET /version HTTP/1.1\r\nHost: localhost\r\n\r\nGET /ver",
}


@contextlib.contextmanager
def crowd(connect, count, sent):
    """Opens that many connections, and sends the bytes on each. The server may close some of them meanwhile."""
    with contextlib.ExitStack() as stack:
        for _ in range(count):
            connection = stack.enter_context(connect())
            with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                connection.send(sent)
        yield


@pytest.mark.parametrize("unfinished", UNFINISHED)
@pytest.mark.parametrize("source", ["127.0.0.1", "127.9.9.9"])
def test_connections_on_this_host_that_finish_nothing_shut_nobody_out(serve, unfinished, source):
    server = serve(connections=40, **HOUR)
    with crowd(server.connect, 100, UNFINISHED[unfinished]):
        for _ in range(3):
            assert server.get("/health", source=source).status == 200
            assert server.run("print('served')")["output"] == "served"


def test_many_addresses_of_this_host_are_one_client(serve):
    server = serve(connections=40, **HOUR)
    sources = iter(f"127.{number}.0.1" for number in range(1, 200))
    with crowd(lambda: server.connect(source=next(sources)), 100, UNFINISHED["half a body"]):
        assert server.run("print('served')")["output"] == "served"


@pytest.mark.parametrize("connections", [4, 40])
def test_clients_whose_jobs_run_lose_nothing_to_a_crowd(serve, connections):
    server = serve(connections=connections, jobs=3, **HOUR)
    held = [server.hold().started() for _ in range(2)]
    with crowd(server.connect, 2 * connections, UNFINISHED["half a body"]):
        assert server.run("print('served')")["output"] == "served"
        for each in held:
            each.release()


def connect_as(path, uid):
    """A connection to a UNIX socket by a process of that user, which hands it over and ends."""
    ours, theirs = socket.socketpair()
    pid = os.fork()
    if pid == 0:
        status = 1
        with contextlib.suppress(OSError):
            os.setresuid(uid, uid, uid)
            with socket.socket(socket.AF_UNIX) as connected:
                connected.connect(path)
                socket.send_fds(theirs, [b"."], [connected.fileno()])
            status = 0
        os._exit(status)
    assert os.waitpid(pid, 0)[1] == 0
    _, [fd], _, _ = socket.recv_fds(ours, 1, 1)
    ours.close()
    theirs.close()
    return Connection(socket.socket(fileno=fd))


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can be two users")
@pytest.mark.parametrize("unfinished", UNFINISHED)
def test_one_user_of_a_unix_socket_does_not_shut_out_another(serve, tmp_path, unfinished):
    path = f"/tmp/sandbox-crowding-{os.getpid()}"
    serve(listen=f"unix:{path}", socket_mode="0666", connections=40, **HOUR)
    with connect_as(path, 1234) as early:
        assert early.ask("GET", "/health").answer().status == 200
        with crowd(lambda: connect_as(path, 4321), 100, UNFINISHED[unfinished]):
            for _ in range(3):
                with connect_as(path, 1234) as late:
                    assert late.ask("POST", "/run", {"code": "print(1)"}).answer().json["output"] == "1"
            # Nor does it lose what was there before, idle as it is.
            assert early.ask("GET", "/health").answer().status == 200


def test_addresses_that_each_take_all_they_may_do_not_shut_out_another(launch):
    server = launch(isolated(command(listen="0.0.0.0:0", insecure=True, cold=True, connections=40,
                                     connections_per_address=40, **HOUR)))
    port = server.listening().address[1]
    with network_of(server):
        where = [{"address": ("192.0.2.1", port), "source": f"192.0.2.{n}"} for n in (1, 2)]
        with crowd(lambda: server.connect(**where[0]), 60, UNFINISHED["half a header"]):
            assert server.get("/health", {"Host": "192.0.2.1"}, **where[1]).status == 200
    server.stop()


def test_answers_that_nobody_takes_shut_nobody_out(serve):
    server = serve(connections=8, jobs=4, **HOUR)
    flood = {"code": "print('x' * 8_000_000)", "policy": "default", "limits": {"output_bytes": 8 << 20}}
    with contextlib.ExitStack() as stack:
        for count in range(1, 12):
            connection = stack.enter_context(server.connect())
            connection.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            connection.ask("POST", "/run", flood)
            server.log.jobs(count)
        assert server.run("print('served')")["output"] == "served"


def test_handshakes_that_never_end_shut_nobody_out(serve, tmp_path):
    files = tmp_path / "cert", tmp_path / "key"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                    "-days", "1", "-subj", "/CN=localhost", "-out", files[0], "-keyout", files[1]], check=True,
                   capture_output=True)
    server = serve(connections=40, tls_cert=files[0], tls_key=files[1], **HOUR)
    with crowd(server.connect, 100, b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"):
        server.tls = ssl.create_default_context(cafile=files[0])
        server.tls.check_hostname = False
        assert server.run("print('served')")["output"] == "served"


def half_a_body(size):
    return HEAD + b"Content-Length: %d\r\n\r\n" % BODY + b" " * size


def test_bodies_that_never_end_leave_room_for_those_of_others(serve):
    """They have 256 MiB together, on a disk. The one that holds the most loses one, and is told so."""
    server = serve(upload_memory="16M", upload_dir="/var/tmp", **HOUR)
    asked = request("POST", "/run", {"code": "print(len(input()))", "stdin": "x" * 1_000_000})
    with contextlib.ExitStack() as stack:
        crowd = [stack.enter_context(server.connect(source="127.0.0.2")) for _ in range(140)]
        for connection in crowd:
            with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                connection.send(half_a_body(BODY - 1))
        for _ in range(3):
            with server.connect() as connection:
                connection.send(asked)
                assert connection.answer().json["output"] == "1000000"
        refused = [connection for connection in crowd if connection.answered()]
        assert 12 <= len(refused) < 40, "140 of 2 MiB, 128 fit"
        assert refused[0].answer().status == 503

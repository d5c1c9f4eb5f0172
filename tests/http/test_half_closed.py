"""Clients that close only their sending half behind their request are answered. Clients that close the whole connection
are gone, and their jobs end. A UNIX socket tells the two apart; on the same host the client's own socket does,
elsewhere the answer to bytes that are sent to it."""

import pathlib
import socket

import pytest

from http_client import request
from sandbox_serve import Waiting, command, isolated, network_of
from waiting import until

JOB = request("POST", "/run", {"code": "print('RAN')"})


def half_close(connection):
    connection.socket.shutdown(socket.SHUT_WR)
    return connection


@pytest.fixture(params=["TCP", "UNIX"])
def near(request, serve, tmp_path):
    """near(…) starts a server on this host."""
    return lambda **chosen: serve(**chosen, **({"listen": f"unix:{tmp_path}/socket"} if request.param == "UNIX" else {}))


@pytest.fixture
def far(launch):
    """far(…) starts a server that does not know whether its clients are on this host, and returns how to reach it."""
    started = []

    def start(**chosen):
        server = launch(isolated(command(listen="192.0.2.1:0", insecure=True, **chosen)))
        port = server.listening().address[1]
        started.append(server)
        return server, {"address": ("192.0.2.1", port), "source": "192.0.2.2"}

    yield start
    for server in started:
        server.stop()


@pytest.mark.parametrize("version", [b"1.0", b"1.1"])
def test_a_client_that_closes_its_sending_half_behind_its_request_is_answered(near, version):
    server = near()
    for _ in range(20):
        with server.connect() as connection:
            connection.send(JOB.replace(b"HTTP/1.1", b"HTTP/" + version))
            assert half_close(connection).socket.recv(12, socket.MSG_PEEK)[-3:] == b"200"
            assert connection.answer().json["output"] == "RAN"
            assert connection.answer() is None


def test_one_that_closes_it_while_its_job_runs_is_answered_and_nothing_else_is_sent(near):
    server = near()
    held = server.hold().started()
    half_close(held.connection)
    assert server.run("print('meanwhile')")["output"] == "meanwhile"
    held.let_go()
    assert held.connection.socket.recv(12, socket.MSG_PEEK)[-3:] == b"200"
    assert held.connection.answer().json["output"] == "let go"
    held.connection.close()


@pytest.mark.long
def test_nothing_is_sent_to_it_however_long_its_job_takes(near):
    """Only where nothing tells whether a client is there, 100 Continue is sent, at the third look after a second."""
    held = near().hold().started()
    half_close(held.connection).socket.settimeout(3)
    with pytest.raises(TimeoutError):
        held.connection.socket.recv(1, socket.MSG_PEEK)
    held.connection.socket.settimeout(None)
    held.let_go()
    assert held.connection.answer().json["output"] == "let go"


def test_one_that_closes_it_while_it_waits_for_its_turn_is_answered(near):
    server = near(jobs=1)
    held = server.hold().started()
    asked = [half_close(server.send("POST", "/run", {"code": f"print({n})"})) for n in range(3)]
    until(lambda: server.metric("sandbox_queue_length") == 3)
    held.release()
    assert [connection.answer().json["output"] for connection in asked] == ["0", "1", "2"]


def test_all_requests_before_that_are_answered(near):
    server = near()
    with server.connect() as connection:
        connection.send(JOB * 5)
        half_close(connection)
        assert [connection.answer().json["output"] for _ in range(5)] == ["RAN"] * 5
        assert connection.answer() is None


def test_one_that_leaves_after_that_takes_its_job_with_it(near):
    server = near()
    held = server.hold().started()
    pid = held.pid()
    half_close(held.connection)
    assert server.run("print('meanwhile')")["output"] == "meanwhile"
    held.leave()
    until(lambda: not pathlib.Path(f"/proc/{pid}").exists())
    assert "had left" in server.log.wait(lambda record: record.get("verdict") == "signal")["message"]


def test_one_that_left_before_its_turn_never_runs(near):
    server = near(jobs=1)
    held = server.hold().started()
    asked = [half_close(server.send("POST", "/run", {"code": "print('RAN')"})) for _ in range(3)]
    until(lambda: server.metric("sandbox_queue_length") == 3)
    for connection in asked:
        connection.close()
    until(lambda: server.metric("sandbox_queue_length") == 0)
    first = held.release()
    second = server.post("/run", {"code": "print('RAN')"})
    assert [record["id"] for record in server.log.jobs(2)] == [each.json["id"] for each in (first, second)]


def test_one_that_closed_both_halves_and_not_its_socket_is_gone(near):
    server = near()
    held = server.hold().started()
    pid = held.pid()
    held.connection.socket.shutdown(socket.SHUT_RDWR)
    until(lambda: not pathlib.Path(f"/proc/{pid}").exists())
    held.connection.close()


def test_where_nothing_else_tells_it_is_asked_whether_it_is_there(far):
    """Only what HTTP/1.0 has no word for is not sent to a client of HTTP/1.0."""
    server, where = far()
    with network_of(server):
        new = server.hold({"Host": "192.0.2.1"}, **where)
        old, body = Waiting(server), {"policy": "default", "timeout": 600}
        old.connection = server.connect(**where)
        asked = request("POST", "/run", {"code": old.code, **body}, {"Host": "192.0.2.1"})
        old.connection.send(asked.replace(b"HTTP/1.1", b"HTTP/1.0"))
        for held in (old, new):
            half_close(held.started().connection)
        for _ in range(2):
            assert new.connection.socket.recv(25) == b"HTTP/1.1 100 Continue\r\n\r\n"
        for held in (old, new):
            held.let_go()
            assert held.connection.socket.recv(12, socket.MSG_PEEK)[-3:] == b"200"
            assert held.connection.answer().json["output"] == "let go"
            held.connection.close()


@pytest.mark.parametrize("first", ["at once", "after its sending half"])
def test_a_client_elsewhere_that_leaves_takes_its_job_with_it(far, first):
    server, where = far()
    with network_of(server):
        held = server.hold({"Host": "192.0.2.1"}, **where).started()
        pid = held.pid()
        if first != "at once":
            half_close(held.connection)
        held.leave()
        until(lambda: not pathlib.Path(f"/proc/{pid}").exists())
        assert "had left" in server.log.wait(lambda record: record.get("verdict") == "signal")["message"]

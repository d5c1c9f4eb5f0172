"""Behind a proxy that is trusted."""

import pytest

from conftest import command, isolated, network_of

pytestmark = pytest.mark.cold


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

"""A Redis server of a test's own, and a slow way to it."""

import shutil
import socket
import socketserver
import subprocess
import threading
import time

import pytest

from waiting import until


class Redis:
    """redis-server with these options, on a UNIX socket."""

    def __init__(self, place, *options):
        self.place, self.socket = place, place / "socket"
        self.options = options
        self.start()

    def start(self):
        self.process = subprocess.Popen(["redis-server", "--port", "0", "--unixsocket", self.socket, "--dir", self.place,
                                         "--save", "", *map(str, self.options)], stdout=subprocess.DEVNULL)
        until(lambda: self.ask("PING") == "PONG" or self.process.poll() is not None)
        assert self.process.poll() is None, "redis-server has ended at once"
        return self

    def ask(self, *words):
        return subprocess.run(["redis-cli", "-s", self.socket, *words], capture_output=True, text=True,
                              check=False).stdout.strip()

    def stop(self):
        self.process.terminate()
        self.process.wait()


class Slow:
    """A TCP port that leads to a UNIX socket; each connection is there after `seconds`."""

    def __init__(self, path, seconds):
        class Handler(socketserver.BaseRequestHandler):
            def handle(self):
                time.sleep(seconds)  # the network, not the test, takes its time
                with socket.socket(socket.AF_UNIX) as there:
                    there.connect(str(path))
                    back = threading.Thread(target=pump, args=(there, self.request))
                    back.start()
                    pump(self.request, there)
                    back.join()

        class Server(socketserver.ThreadingTCPServer):
            daemon_threads = True

        self.server = Server(("127.0.0.1", 0), Handler)
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()


def pump(source, target):
    try:
        while data := source.recv(65536):
            target.sendall(data)
        target.shutdown(socket.SHUT_WR)
    except OSError:
        pass  # either end has left


@pytest.fixture
def redis(tmp_path):
    """redis("--appendonly", "yes") starts a server; it is stopped after the test."""
    if shutil.which("redis-server") is None:
        pytest.skip("redis-server is not installed")
    started = []

    def start(*options):
        place = tmp_path / f"redis{len(started)}"
        place.mkdir()
        started.append(Redis(place, *options))
        return started[-1]

    yield start
    for each in started:
        each.stop()

"""A receiver of callbacks, and how it checks them."""

import contextlib
import hashlib
import hmac
import http.server
import queue
import re
import socket
import threading
import time
import types

import pytest

SECRET = "sixteen bytes or more"


class Receiver:
    """A server that callbacks go to. `answer` decides, for each request, its status and headers; None: nothing ever."""

    def __init__(self, answer=lambda _request: (204, {}), family=socket.AF_INET, host="127.0.0.1"):
        receiver = self
        self.got = queue.Queue()
        self.released = threading.Event()

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                # A copy, as one handler serves all requests of a connection.
                request = types.SimpleNamespace(path=self.path, headers=self.headers,
                                                body=self.rfile.read(int(self.headers["Content-Length"])))
                receiver.got.put(request)
                said = answer(request)
                if said is None:
                    receiver.released.wait()
                    self.close_connection = True
                    return
                self.send_response(said[0])
                for name, value in said[1].items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(said[2]) if len(said) > 2 else 0))
                self.end_headers()
                with contextlib.suppress(OSError):  # who has had enough may leave
                    self.wfile.write(said[2] if len(said) > 2 else b"")

            def log_message(self, *_):
                pass

        class Server(http.server.ThreadingHTTPServer):
            address_family = family
            daemon_threads = True
            request_queue_size = 128

        self.server = Server((host, 0), Handler)
        self.port = self.server.server_address[1]
        self.url = f"http://{f'[{host}]' if ':' in host else host}:{self.port}/done?x=1"
        self.host = f"{f'[{host}]' if ':' in host else host}:{self.port}"
        self.thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.02})
        self.thread.start()

    def close(self):
        self.released.set()
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()


@pytest.fixture
def receive():
    made = []

    def start(*arguments, **keywords):
        made.append(Receiver(*arguments, **keywords))
        return made[-1]

    yield start
    for receiver in made:
        receiver.close()


def forged(change, body=b'{"id": "1", "state": "done"}'):
    """(headers, body, secret) as a receiver gets them, with something about them changed. `age`: seconds since it was
    signed; without any change there is no signature."""
    signed_at = int(time.time()) - change.get("age", 0)
    digest = hmac.new(SECRET.encode(), f"{signed_at}.1.".encode() + body, hashlib.sha256).hexdigest()
    headers = {"X-Sandbox-Job": "1", "X-Sandbox-Signature": f"t={signed_at},v1={digest}"}
    if not change:
        del headers["X-Sandbox-Signature"]
    headers.update((name, value) for name, value in change.items() if name.startswith("X-"))
    return headers, change.get("body", body), change.get("secret", SECRET)


def check_signature(request, secret=SECRET):
    """As a receiver does it. The time of the signature."""
    found = re.fullmatch(r"t=(\d+),v1=([0-9a-f]{64})", request.headers["X-Sandbox-Signature"])
    signed = f"{found[1]}.{request.headers['X-Sandbox-Job']}.".encode() + request.body
    assert hmac.compare_digest(hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest(), found[2])
    return int(found[1])

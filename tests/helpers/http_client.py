"""HTTP as tests speak it: requests as bytes, and answers that are read one by one."""

import contextlib
import dataclasses
import functools
import http.client
import json
import re
import socket

import pytest

JSON = "application/json"


def strict_json(body):
    """What a body says that must be JSON for the strictest of readers: UTF-8, no NaN, no key twice in an object, no
    half of a surrogate pair."""
    def members(pairs):
        value = dict(pairs)
        assert len(value) == len(pairs), f"a key twice: {[key for key, _ in pairs]}"
        return value

    value = json.loads(body.decode("utf-8"), object_pairs_hook=members,
                       parse_constant=lambda name: pytest.fail(f"{name} in JSON"))
    json.dumps(value, ensure_ascii=False).encode("utf-8")
    return value


@dataclasses.dataclass(frozen=True)
class Answer:
    status: int
    headers: http.client.HTTPMessage
    body: bytes

    def __post_init__(self):
        """In every test, an answer that says that it is JSON must be JSON."""
        if self.body and self.headers.get_content_type() == JSON:
            assert self.json is not None

    @functools.cached_property
    def json(self):
        assert self.headers.get_content_type() == JSON, self
        return strict_json(self.body)

    @property
    def text(self):
        return self.body.decode("utf-8")

    @property
    def error(self):
        """The sentence of an answer that is an error of the service."""
        assert self.status >= 400 and self.json["status"] == "error", self
        assert isinstance(self.json["error"], str) and self.json["error"], self
        return self.json["error"]

    @property
    def field(self):
        assert self.error
        return self.json["field"]


class Connection:
    """One connection, on which bytes are written as a test likes and answers are read one by one."""

    def __init__(self, connected):
        self.socket = connected
        self._file = connected.makefile("rb")

    def send(self, data):
        self.socket.sendall(data if isinstance(data, bytes) else data.encode("utf-8"))

    def ask(self, method, path, body=None, headers=None):
        """Sends a request; the answer is read with answer()."""
        self._method = method
        self.send(request(method, path, body, headers))
        return self

    def answer(self):
        """The next answer, as soon as it is there; None when the server has closed the connection."""
        try:
            line = self._file.readline()
        except ConnectionResetError:
            return None
        if not line:
            return None
        match = re.fullmatch(rb"HTTP/1\.[01] (\d{3})(?: .*)?\r\n", line)
        assert match, line
        status, headers = int(match[1]), http.client.parse_headers(self._file)
        if status == 100:
            return self.answer()
        return Answer(status, headers, self._body(status, headers))

    def _body(self, status, headers):
        if getattr(self, "_method", None) == "HEAD" or status in (204, 304):
            return b""
        if headers.get("Transfer-Encoding", "").lower() == "chunked":
            parts = []
            while size := int(self._file.readline(), 16):
                parts.append(self._file.read(size))
                self._file.readline()
            self._file.readline()
            return b"".join(parts)
        length = headers.get("Content-Length")
        body = self._file.read(None if length is None else int(length))
        assert length is None or len(body) == int(length), (headers.as_string(), body)
        return body

    def answered(self):
        """Whether the server has said something by now, or has closed the connection."""
        try:
            return len(self.socket.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT)) >= 0
        except BlockingIOError:
            return False
        except ConnectionResetError:
            return True

    def ended(self):
        """Waits for the server to close the connection; what came before that is dropped."""
        try:
            while self.socket.recv(65536):
                pass
        except ConnectionResetError:
            pass
        return True

    def rest(self):
        """All that still comes until the server closes the connection; nothing more is sent to it."""
        with contextlib.suppress(OSError):
            self.socket.shutdown(socket.SHUT_WR)
        try:
            return self._file.read()
        except ConnectionResetError:
            return b""

    def close(self):
        self._file.close()
        with contextlib.suppress(OSError):
            self.socket.shutdown(socket.SHUT_RDWR)
        self.socket.close()

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self.close()


def request(method, path, body=None, headers=None):
    """The bytes of a request. A body that is not bytes is sent as JSON. A header None is left out."""
    all_headers = {"Host": "localhost"}
    if body is not None:
        if not isinstance(body, bytes):
            body = json.dumps(body).encode()
        all_headers |= {"Content-Type": JSON, "Content-Length": str(len(body))}
    all_headers |= headers or {}
    lines = [f"{method} {path} HTTP/1.1", *(f"{k}: {v}" for k, v in all_headers.items() if v is not None)]
    return "\r\n".join(lines).encode("utf-8") + b"\r\n\r\n" + (body or b"")


def bearer(token):
    return {"Authorization": f"Bearer {token}"}

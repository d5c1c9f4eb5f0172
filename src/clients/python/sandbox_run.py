"""A client of sandbox-serve, which runs untrusted Python.

    from sandbox_run import Client

    client = Client("http://localhost:8000")
    result = client.run("print(sum(range(10)))")
    print(result.verdict, result.stdout)

One file without dependencies, for Python 3.8 and newer. Names are those of the service's API: sandbox-api(7).

What a job prints, displays or writes is untrusted. In notebooks, HTML and SVG are shown without scripts and without
network; files are saved below the directory that you name, and nowhere else.
"""

from __future__ import annotations

import base64 as _base64
import hashlib
import hmac
import html
import http.client
import json
import os
import re
import secrets
import socket
import ssl
import tempfile
import time
import urllib.parse
from dataclasses import dataclass, field
from typing import Any, Dict, Iterator, List, Mapping, Optional, Sequence, Union

__all__ = ["Client", "Result", "Job", "File", "Display", "Event", "Stream", "SandboxError", "Refused", "Busy",
           "Unreachable", "JobFailed"]
__version__ = "1.0.0"

Content = Union[str, bytes, bytearray, memoryview, "os.PathLike[str]", "File"]

# ── Errors ───────────────────────────────────────────────────────────────────────────────────────


class SandboxError(Exception):
    """What all errors of this module have in common."""


class Unreachable(SandboxError):
    """No answer: nothing listens there, or the connection broke, or the client's timeout was up."""


class Refused(SandboxError):
    """The service did not carry out the request. `status`: of HTTP. `field`: the field or header at fault, or None.
    `retry_after`: seconds to wait before another try, or None."""

    def __init__(self, message: str, status: int, field: Optional[str] = None, retry_after: Optional[float] = None):
        super().__init__(message)
        self.status = status
        self.field = field
        self.retry_after = retry_after


class Busy(Refused):
    """Refused for now: the queue is full, or the client sent too many requests (503, 429)."""


class JobFailed(SandboxError):
    """The job did not run to its end with exit status 0. `result` has all of its answer."""

    def __init__(self, result: Result):
        super().__init__(result.error or result.verdict)
        self.result = result


# ── What comes back ──────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True)
class File:
    """A file that a job wrote. `path` is its name in the working directory, or absolute below /tmp."""

    path: str
    type: str
    bytes: bytes = field(repr=False)

    @property
    def size(self) -> int:
        return len(self.bytes)

    @property
    def text(self) -> str:
        """The file as UTF-8. UnicodeDecodeError where it is not."""
        return self.bytes.decode("utf-8")

    def save(self, directory: Union[str, "os.PathLike[str]"] = ".", *, overwrite: bool = False) -> str:
        """Writes the file below a directory, with the folders of its path, and returns where it is. Never outside the
        directory and never through a link. FileExistsError where a file is already, unless `overwrite`."""
        parts = _parts(self.path)
        directory = os.fspath(directory)
        os.makedirs(directory, exist_ok=True)
        write = _write_beneath if os.open in os.supports_dir_fd and hasattr(os, "O_NOFOLLOW") else _write_resolved
        write(directory, parts, self.bytes, overwrite)
        return os.path.join(directory, *parts)


class Display(Dict[str, Any]):
    """Something that a notebook cell displayed: MIME type → data; image/png is base64."""

    @property
    def png(self) -> Optional[bytes]:
        """The picture, where there is one."""
        return self._picture("image/png")

    def _picture(self, kind: str) -> Optional[bytes]:
        try:
            return _base64.b64decode(self[kind])
        except (KeyError, TypeError, ValueError):
            return None  # none, or the job's nonsense

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> Dict[str, Any]:
        shown = {"text/plain": self._plain()}
        for kind in _PICTURES:
            picture = self._picture(kind)
            if picture is not None:  # encoded again: then it is nothing but base64
                shown[kind] = _base64.b64encode(picture).decode()
        if "image/svg+xml" in self or "text/html" in self:
            shown["text/html"] = self._html()
        return shown

    def _plain(self) -> str:
        return str(self.get("text/plain", ""))

    def _html(self) -> str:
        """As HTML in which nothing of the job's is trusted: SVG is an image, HTML is in a frame without scripts."""
        if "image/svg+xml" in self:
            return _image("image/svg+xml", str(self["image/svg+xml"]).encode("utf-8", "replace"))
        for kind in _PICTURES:
            picture = self._picture(kind)
            if picture is not None:
                return _image(kind, picture)
        if "text/html" in self:
            return (f'<iframe sandbox="" srcdoc="{html.escape(_NO_NETWORK + str(self["text/html"]))}" '
                    'style="width: 100%; height: 20em; resize: vertical; border: 0; background: white"></iframe>')
        return _pre(self._plain())


@dataclass
class Result:
    """The answer to a run. `raw` is the answer as it came; other members have their names there: sandbox-api(7)."""

    raw: Dict[str, Any] = field(repr=False)
    status: str = ""
    verdict: str = ""
    output: str = field(default="", repr=False)
    error: Optional[str] = None
    stdout: str = ""
    stderr: str = ""
    truncated: Dict[str, int] = field(default_factory=dict, repr=False)
    exit_code: Optional[int] = None
    signal: Optional[str] = None
    result: Any = None
    usage: Dict[str, Any] = field(default_factory=dict, repr=False)
    enforcement: Dict[str, Any] = field(default_factory=dict, repr=False)
    denied: Optional[List[Dict[str, Any]]] = field(default=None, repr=False)
    id: str = ""
    files: Dict[str, File] = field(default_factory=dict)
    files_left_out: List[Dict[str, str]] = field(default_factory=list, repr=False)
    display: List[Display] = field(default_factory=list, repr=False)
    displays_left_out: int = field(default=0, repr=False)
    # Of a graded run: how each case ended, and how many are correct.
    cases: List[Result] = field(default_factory=list, repr=False)
    passed: Optional[int] = None
    # Of a case: whether it is as expected, its name, and whether its output did not fit into the answer.
    correct: Optional[bool] = None
    name: Optional[str] = None
    output_left_out: bool = False

    @classmethod
    def of(cls, answer: Dict[str, Any]) -> Result:
        """From a native answer, of `POST /run` or of `sandbox-run --json`."""
        given = {name: answer[name] for name in cls.__dataclass_fields__ if name in answer}
        given["files"] = {path: _file(path, each) for path, each in (answer.get("files") or {}).items()}
        given["display"] = [Display(each) for each in answer.get("display") or []]
        given["cases"] = [cls.of(each) for each in answer.get("cases") or []]
        return cls(**{**given, "raw": answer})

    @property
    def ok(self) -> bool:
        """Whether the code ran to its end with exit status 0."""
        return self.status == "success"

    def check(self) -> Result:
        """The result itself; JobFailed unless the code ran to its end with exit status 0."""
        if not self.ok:
            raise JobFailed(self)
        return self

    def save(self, directory: Union[str, "os.PathLike[str]"], *, overwrite: bool = False) -> List[str]:
        """Writes all files below a directory: see File.save()."""
        return [each.save(directory, overwrite=overwrite) for each in self.files.values()]

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> Dict[str, Any]:
        streams = self.stdout + (self.stderr or ("" if self.ok else f"{self.error}\n"))
        files = "".join(f"{path}  {each.size} bytes  {each.type}\n" for path, each in self.files.items())
        value = "" if self.result is None else f"{self.result!r}\n"
        texts = [each for each in (streams, value, files) if each]
        plain = [each._plain() + "\n" for each in self.display]
        shown = [_pre(streams) if streams else "", *(each._html() for each in self.display),
                 *(_pre(each) for each in (value, files) if each)]
        return {"text/plain": "".join(texts[:1] + plain + texts[1:]) or self.verdict,
                "text/html": "".join(shown) or _pre(self.verdict)}


@dataclass(frozen=True)
class Event:
    """Of a stream. `event`: start, queued, stdout, stderr, display, case or verdict; `data`: as sandbox-api(7) says."""

    event: str
    data: Dict[str, Any]

    @property
    def bytes(self) -> bytes:
        """Of stdout and stderr: what was written."""
        if "base64" in self.data:
            return _base64.b64decode(self.data["base64"])
        return self.data.get("text", "").encode()

    @property
    def text(self) -> str:
        """Of stdout and stderr: what was written; bytes that are not UTF-8 are replaced."""
        return self.data["text"] if "text" in self.data else self.bytes.decode("utf-8", "replace")

    @property
    def result(self) -> Optional[Result]:
        """Of verdict: the whole answer. Of case: that of the case, which stands at data["index"]."""
        return Result.of(self.data) if self.event in ("verdict", "case") else None


@dataclass(frozen=True)
class Job:
    """A job that outlasts the connection, as it was when it was asked for. `result` is there when it is done. Times are
    texts such as 2026-11-30T21:40:04.017Z. `status`: what POST /run would have answered. `raw`: as it came."""

    id: str
    state: str
    policy: Optional[str] = None
    created: Optional[str] = None
    started: Optional[str] = None
    ended: Optional[str] = None
    tries: int = 0
    position: int = 0
    reason: Optional[str] = None
    status: Optional[int] = None
    result: Optional[Result] = None
    raw: Dict[str, Any] = field(default_factory=dict, repr=False)

    @classmethod
    def of(cls, given: Dict[str, Any]) -> Job:
        """From an answer of the service."""
        known = {name: given[name] for name in cls.__dataclass_fields__ if name in given}
        answer = given.get("answer")
        return cls(**{**known, "result": Result.of(answer) if answer else None, "raw": given})

    @classmethod
    def of_callback(cls, headers: Mapping[str, str], body: bytes, secret: str, *, max_age: float = 300) -> Job:
        """From a callback that a server of yours has received, of which nothing else may be believed before. SandboxError
        unless it is signed with the secret, at most `max_age` seconds ago. It may come twice: go by the job's id."""
        given = {name.lower(): value for name, value in headers.items()}
        id, signature = given.get("x-sandbox-job", ""), given.get("x-sandbox-signature", "")
        found = re.fullmatch(r"t=(\d{1,15}),v1=([0-9a-f]{64})", signature)
        if found is None:
            raise SandboxError("this is no callback: it has no header X-Sandbox-Signature")
        digest = hmac.new(secret.encode(), f"{found[1]}.{id}.".encode() + body, hashlib.sha256).hexdigest()
        if not hmac.compare_digest(digest, found[2]):
            raise SandboxError("a callback was signed with another secret, or changed on its way")
        if abs(time.time() - int(found[1])) > max_age:
            raise SandboxError(f"a callback was signed more than {max_age:g} s ago: it may be one that was recorded")
        return cls.of(json.loads(body))

    @property
    def over(self) -> bool:
        """Whether it has ended: done, lost or cancelled."""
        return self.state not in ("queued", "running")


# ── The client ───────────────────────────────────────────────────────────────────────────────────


class Client:
    """A service. Threads may share a client: it keeps no connection.

    `url`: http://…, https://…, or unix:PATH for a socket. `timeout`: seconds without a byte from the service after
    which the client gives up, None: never; a job's own time is the policy's and run()'s `timeout`. `retries`: how often
    a request is sent again that was refused as Busy, each after the time that the service names. `context`: of TLS."""

    def __init__(self, url: str = "http://localhost:8000", token: Optional[str] = None,
                 timeout: Optional[float] = 600, *, retries: int = 0, context: Optional[ssl.SSLContext] = None):
        self.url = url
        self.timeout = timeout
        self.retries = retries
        self._token = token
        self._context = context
        self._path = ""
        if url.startswith("unix:"):
            return
        parsed = urllib.parse.urlsplit(url)
        if parsed.scheme not in ("http", "https") or not parsed.hostname or parsed.query or parsed.username:
            raise ValueError(f"url is {url!r}; give http://HOST:PORT, https://HOST:PORT or unix:PATH")
        self._host, self._port, self._tls = parsed.hostname, parsed.port, parsed.scheme == "https"
        self._path = parsed.path.rstrip("/")

    def __repr__(self) -> str:
        return f"Client({self.url!r})"

    def run(self, code: Union[str, bytes, None] = None, *, files: Optional[Mapping[str, Content]] = None,
            stdin: Optional[Content] = None, args: Optional[Sequence[str]] = None,
            env: Optional[Mapping[str, str]] = None, policy: Optional[str] = None, timeout: Optional[float] = None,
            limits: Optional[Mapping[str, Any]] = None, call: Union[str, Mapping[str, Any], None] = None,
            module: Optional[str] = None, name: Optional[str] = None, merge_stderr: bool = False,
            base64: bool = False, collect: Union[bool, Sequence[str]] = False, notebook: bool = False,
            cases: Optional[Sequence[Mapping[str, Any]]] = None, stop: Optional[str] = None) -> Result:
        """Runs code and returns how it ended: also exceptions and limits of the code are results, not errors.

        Values of `files`, and `stdin`: text, bytes, a pathlib.Path whose file is sent, or a File of another result.
        `timeout`: wall-clock seconds of the job. `collect`: True or globs: which files come back. `notebook`: the code
        is a notebook cell, and what it displays comes back. `cases`: the code runs once for each, and the result's `cases`
        say which are correct; `stop`: "never" or "first-failure". Raises Refused, Busy and Unreachable."""
        given = locals()
        answer = self._answer(lambda: self._send(_request(given), "application/json"))
        return Result.of(answer)

    def stream(self, code: Union[str, bytes, None] = None, *, files: Optional[Mapping[str, Content]] = None,
               stdin: Optional[Content] = None, args: Optional[Sequence[str]] = None,
               env: Optional[Mapping[str, str]] = None, policy: Optional[str] = None,
               timeout: Optional[float] = None, limits: Optional[Mapping[str, Any]] = None,
               call: Union[str, Mapping[str, Any], None] = None, module: Optional[str] = None,
               name: Optional[str] = None, merge_stderr: bool = False, base64: bool = False,
               collect: Union[bool, Sequence[str]] = False, notebook: bool = False,
               cases: Optional[Sequence[Mapping[str, Any]]] = None, stop: Optional[str] = None) -> Stream:
        """As run(), but the events come while the job runs. Closing the stream ends the job:

            with client.stream("for i in range(3): print(i, flush=True)") as stream:
                for event in stream:
                    print(event.event, event.text)
            print(stream.result.verdict)
        """
        given = locals()
        return self._retry(lambda: Stream(*self._send(_request(given), "text/event-stream")))

    def submit(self, code: Union[str, bytes, None] = None, *, key: Optional[str] = None,
               callback: Optional[Mapping[str, str]] = None, **given: Any) -> Job:
        """Queues a job that outlasts the connection, with the arguments of run(): the Job has its `id`. `key`: the same
        key with the same request gives the same job; without one, each call is a new job.
        `callback`: {"url": …, "secret": …}: the URL is told of the job's end, signed with the secret: sandbox-api(7)."""
        request = json.dumps(_request({"code": code, "callback": callback, **given})).encode()
        headers = {"Idempotency-Key": key or secrets.token_hex(16)}
        return Job.of(self._answer(lambda: self._ask("POST", "/jobs", request, headers=headers)))

    def job(self, id: str, wait: int = 0) -> Job:
        """A job of this client's, once it has ended or after `wait` seconds, at most 60."""
        return Job.of(self._answer(lambda: self._ask("GET", f"{_job_path(id)}?wait={wait}")))

    def wait(self, id: str) -> Job:
        """A job, once it has ended."""
        while True:
            job = self.job(id, wait=30)
            if job.over:
                return job

    def jobs(self) -> List[Job]:
        """The last jobs of this client's, the newest first, without their results."""
        return [Job.of(each) for each in self._answer(lambda: self._ask("GET", "/jobs"))["jobs"]]

    def events(self, id: str) -> Stream:
        """The events of a job, from its beginning. To leave ends nothing."""
        return self._retry(lambda: Stream(*self._ask("GET", f"{_job_path(id)}/events", accept="text/event-stream")))

    def cancel(self, id: str) -> None:
        """Ends a job. One that has ended stays as it is."""
        connection, response = self._ask("DELETE", _job_path(id))
        with _Closing(connection, response):
            if response.status != 204:
                _read(response, self.url)

    def policies(self) -> List[Dict[str, Any]]:
        """The policies that the service offers, with their limits and caps."""
        return self._answer(lambda: self._ask("GET", "/policies"))["policies"]

    def version(self) -> str:
        """The version of the service."""
        return self._answer(lambda: self._ask("GET", "/version"))["version"]

    def health(self) -> bool:
        """Whether the service can run jobs. Raises Unreachable when nothing answers."""
        connection, response = self._ask("GET", "/health")
        with _Closing(connection, response):
            return response.status == 200

    def _send(self, request: Dict[str, Any], accept: str) -> Any:
        return self._ask("POST", "/run", json.dumps(request).encode(), accept)

    def _ask(self, method: str, path: str, body: Optional[bytes] = None, accept: str = "application/json",
             headers: Optional[Mapping[str, str]] = None) -> Any:
        """(connection, response), whose body is not read yet."""
        headers = {"Accept": accept, "Connection": "close", **(headers or {})}
        if body is not None:
            headers["Content-Type"] = "application/json"
        if self._token:
            headers["Authorization"] = f"Bearer {self._token}"
        connection = self._connection()
        try:
            try:
                connection.request(method, self._path + path, body, headers)
            except (BrokenPipeError, ConnectionResetError):
                pass  # a service that refuses a large body answers before it has read all of it
            return connection, connection.getresponse()
        except (OSError, http.client.HTTPException) as error:
            connection.close()
            raise Unreachable(_sentence(self.url, error)) from error

    def _connection(self) -> http.client.HTTPConnection:
        if self.url.startswith("unix:"):
            return _UnixConnection(self.url[len("unix:"):], self.timeout)
        if self._tls:
            return http.client.HTTPSConnection(self._host, self._port, timeout=self.timeout, context=self._context)
        return http.client.HTTPConnection(self._host, self._port, timeout=self.timeout)

    def _answer(self, ask: Any) -> Dict[str, Any]:
        def once() -> Dict[str, Any]:
            connection, response = ask()
            with _Closing(connection, response):
                return _read(response, self.url)

        return self._retry(once)

    def _retry(self, once: Any) -> Any:
        for left in range(self.retries, -1, -1):
            try:
                return once()
            except Busy as error:
                if left == 0:
                    raise
                time.sleep(1 if error.retry_after is None else error.retry_after)


class Stream:
    """The events of a running job: an iterator. `result` is there once the event `verdict` has come."""

    def __init__(self, connection: http.client.HTTPConnection, response: http.client.HTTPResponse):
        self.result: Optional[Result] = None
        self._closing = _Closing(connection, response)
        self._response = response
        try:
            kind = response.headers.get_content_type()
            # A service that does not stream answers as it does to run(): that is the verdict.
            self._events = _sse(response) if kind == "text/event-stream" else iter(
                [Event("verdict", _read(response, "the service"))])
        except BaseException:
            self.close()
            raise

    def __iter__(self) -> Iterator[Event]:
        return self

    def __next__(self) -> Event:
        if self.result is not None:
            raise StopIteration
        try:
            event = next(self._events, None)
        except (OSError, ValueError, AttributeError, http.client.HTTPException) as error:
            self.close()
            raise Unreachable(f"the stream broke: {error}; run the job again") from error
        if event is None:
            self.close()
            raise Unreachable("the stream ended without a verdict; run the job again")
        if event.event == "verdict":
            self.result = event.result
            self.close()
        return event

    def close(self) -> None:
        """Leaves. A job that still runs is ended by the service."""
        self._closing.close()

    def __enter__(self) -> Stream:
        return self

    def __exit__(self, *error: Any) -> None:
        self.close()


# ── Requests and answers ─────────────────────────────────────────────────────────────────────────


def _request(given: Dict[str, Any]) -> Dict[str, Any]:
    """The arguments of run() as the JSON of a request. What was left out is left out."""
    request = {name: value for name, value in given.items()
               if name != "self" and value is not None and value is not False}
    if "code" in request:
        request["code"] = _content("code", request["code"])
    if "stdin" in request:
        request["stdin"] = _content("stdin", request["stdin"])
    if "files" in request:
        request["files"] = {path: _content(f"files[{path!r}]", each) for path, each in request["files"].items()}
    for name in ("env", "limits", "callback"):
        if name in request:
            request[name] = dict(request[name])
    for name in ("args", "collect"):
        if request.get(name, True) is not True:
            request[name] = _names(name, request[name])
    if "cases" in request:
        request["cases"] = [_case(f"cases[{index}]", each) for index, each in enumerate(request["cases"])]
    return request


def _case(at: str, given: Mapping[str, Any]) -> Dict[str, Any]:
    case = dict(given)
    if case.get("stdin") is not None:
        case["stdin"] = _content(f"{at}.stdin", case["stdin"])
    if case.get("files") is not None:
        case["files"] = {path: _content(f"{at}.files[{path!r}]", each) for path, each in case["files"].items()}
    expected = case.get("expected")
    if expected is not None and expected.get("stdout") is not None:
        case["expected"] = {**expected, "stdout": _content(f"{at}.expected.stdout", expected["stdout"])}
    return case


def _job_path(id: str) -> str:
    return f"/jobs/{urllib.parse.quote(id, safe='')}"


def _names(field_name: str, values: Any) -> List[str]:
    if isinstance(values, (str, bytes)):
        raise TypeError(f"{field_name} is {values!r}; give a list of strings")
    return list(values)


def _content(field_name: str, value: Any) -> Any:
    if isinstance(value, str):
        return value
    if isinstance(value, File):
        value = value.bytes
    elif isinstance(value, os.PathLike):
        with open(value, "rb") as file:
            value = file.read()
    if not isinstance(value, (bytes, bytearray, memoryview)):
        raise TypeError(f"{field_name} is of the type {type(value).__name__}; give str, bytes, pathlib.Path or File")
    return {"base64": _base64.b64encode(value).decode()}


def _file(path: str, given: Dict[str, Any]) -> File:
    data = _base64.b64decode(given["base64"]) if "base64" in given else given["text"].encode()
    return File(path, given.get("type", "application/octet-stream"), data)


def _read(response: http.client.HTTPResponse, url: str) -> Dict[str, Any]:
    """The answer's object; Refused unless it is a verdict or a success."""
    try:
        text = response.read()
    except (OSError, http.client.HTTPException) as error:
        raise Unreachable(_sentence(url, error)) from error
    try:
        answer = json.loads(text)
    except ValueError:
        answer = None
    if isinstance(answer, dict) and (response.status in (200, 202) or "verdict" in answer):
        return answer
    answer = answer if isinstance(answer, dict) else {}
    said = answer.get("error") or f"the service answered with HTTP status {response.status} and no sentence"
    kind = Busy if response.status in (429, 503) else Refused
    raise kind(said, response.status, answer.get("field"), _seconds(response.headers.get("Retry-After")))


def _seconds(value: Optional[str]) -> Optional[float]:
    return float(value) if value and value.isascii() and value.isdigit() else None


def _sse(response: http.client.HTTPResponse) -> Iterator[Event]:
    """The events of text/event-stream. A job can't forge one: what it prints is inside the JSON of `data`."""
    name, data = "", []
    while True:
        line = response.readline()
        if not line.endswith(b"\n"):
            return
        text = line.decode("utf-8").rstrip("\r\n")
        if not text:
            if data:
                yield Event(name, json.loads("\n".join(data)))
            name, data = "", []
            continue
        key, _, value = text.partition(":")
        value = value[1:] if value.startswith(" ") else value
        if key == "event":
            name = value
        elif key == "data":
            data.append(value)


def _sentence(url: str, error: BaseException) -> str:
    return f"no answer from {url}: {error or type(error).__name__}; does sandbox-serve run there?"


class _Closing:
    """Closes a response and its connection: the one holds the socket open for the other."""

    def __init__(self, connection: http.client.HTTPConnection, response: http.client.HTTPResponse):
        self._both = (response, connection)

    def close(self) -> None:
        for each in self._both:
            each.close()

    def __enter__(self) -> _Closing:
        return self

    def __exit__(self, *error: Any) -> None:
        self.close()


class _UnixConnection(http.client.HTTPConnection):
    def __init__(self, path: str, timeout: Optional[float]):
        super().__init__("localhost", timeout=timeout)
        self._socket_path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self._socket_path)


# ── Files ────────────────────────────────────────────────────────────────────────────────────────


def _parts(path: str) -> List[str]:
    """The folders and the name of a path below a directory. The path is the job's: ValueError where it leads out."""
    parts = [part for part in path.split("/") if part not in ("", ".")]
    bad = ".." in parts or "\0" in path or (os.name == "nt" and any(c in path for c in '\\:*?"<>|'))
    if bad or not parts:
        raise ValueError(f"the file {path!r} can't be saved: its path leads out of the directory")
    return parts


def _write_beneath(directory: str, parts: List[str], data: bytes, overwrite: bool) -> None:
    """Goes down folder by folder, and follows no link: not even one that is put there meanwhile."""
    folder = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        for part in parts[:-1]:
            try:
                os.mkdir(part, dir_fd=folder)
            except FileExistsError:
                pass
            below = os.open(part, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=folder)
            os.close(folder)
            folder = below
        name = f".{os.urandom(8).hex()}" if overwrite else parts[-1]
        made = os.open(name, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o666, dir_fd=folder)
        with open(made, "wb") as file:
            file.write(data)
        if overwrite:
            try:
                os.replace(name, parts[-1], src_dir_fd=folder, dst_dir_fd=folder)
            except OSError:
                os.unlink(name, dir_fd=folder)
                raise
    finally:
        os.close(folder)


def _write_resolved(directory: str, parts: List[str], data: bytes, overwrite: bool) -> None:
    """Where the system can't open beneath a folder: looks first where the path really leads."""
    root = os.path.realpath(directory)
    folder = os.path.join(root, *parts[:-1])
    if os.path.realpath(folder) != folder:
        raise OSError(f"{folder} is a link, or below one: nothing is written through links")
    os.makedirs(folder, exist_ok=True)
    target = os.path.join(folder, parts[-1])
    if not overwrite:
        with open(target, "xb") as file:
            file.write(data)
        return
    handle, name = tempfile.mkstemp(dir=folder)
    with open(handle, "wb") as file:
        file.write(data)
    os.replace(name, target)


# ── Notebooks ────────────────────────────────────────────────────────────────────────────────────

_PICTURES = ("image/png", "image/jpeg")
# In front of a job's HTML: nothing is fetched, wherever the HTML points.
_NO_NETWORK = ('<meta http-equiv="Content-Security-Policy" '
               "content=\"default-src 'none'; img-src data:; style-src 'unsafe-inline'\">")


def _pre(text: str) -> str:
    return f"<pre>{html.escape(text)}</pre>"


def _image(kind: str, data: bytes) -> str:
    return f'<img alt="" src="data:{kind};base64,{_base64.b64encode(data).decode()}">'

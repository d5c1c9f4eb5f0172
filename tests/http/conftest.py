"""What the tests of the service share: how sandbox-serve is started, asked and watched. Black box: they know its
options, its HTTP and its log. From the environment, beside what the integration tests take:

    SANDBOX_SERVE      the program; default: sandbox-serve beside sandbox-run
    SANDBOX_SERVE_URL  a service that runs already (http://HOST:PORT): tests that configure nothing ask that one

Each test that configures something starts a server of its own, on a free port; the others share one. Nothing
sleeps to wait: what has an event is waited for by it, what has none is looked at again and again.
"""

import base64
import contextlib
import dataclasses
import functools
import http.client
import importlib.util
import itertools
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import threading

import pytest

import hang

_path = pathlib.Path(__file__).resolve().parents[1] / "integration" / "conftest.py"
_spec = importlib.util.spec_from_file_location("integration_conftest", _path)
integration = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(integration)
# The integration tests' other names by `integration.`.
until = integration.until

SERVE = pathlib.Path(os.environ.get("SANDBOX_SERVE") or integration.BINARY.parent / "sandbox-serve").absolute()
POLICIES = pathlib.Path(os.environ.get("SANDBOX_POLICIES") or integration.CHECKOUT / "policies").absolute()
SANITIZED = bool(os.environ.get("SANDBOX_TEST_SANITIZED"))
JSON = "application/json"

pytest_configure = integration.pytest_configure


# ── Asking ───────────────────────────────────────────────────────────────────────────────────────


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
        """Whatever a test asks for: an answer that says that it is JSON is."""
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


# ── The server ───────────────────────────────────────────────────────────────────────────────────


class Log:
    """What a server writes to stderr, as it comes: one JSON record a line. Anything else is noise."""

    def __init__(self, pipe):
        self.records, self.noise = [], []
        self._news = threading.Condition()
        self._ended = False
        self._thread = threading.Thread(target=self._read, args=(pipe,), daemon=True)
        self._thread.start()

    def _read(self, pipe):
        for line in pipe:
            try:
                record = json.loads(line)
                known = isinstance(record, dict)
            except ValueError:
                known = False
            with self._news:
                (self.records if known else self.noise).append(record if known else line.decode(errors="replace"))
                self._news.notify_all()
        with self._news:
            self._ended = True
            self._news.notify_all()

    def wait(self, wanted, count=1):
        """The first `count` records for which wanted(record) is true, once they are there."""
        with self._news:
            self._news.wait_for(lambda: len(self.all(wanted)) >= count or self._ended)
            found = self.all(wanted)
        assert len(found) >= count, f"the server ended without the record: {self}"
        return found[0] if count == 1 else found[:count]

    def all(self, wanted):
        return [record for record in self.records if wanted(record)]

    def jobs(self, count):
        """The records of the first `count` jobs."""
        found = self.wait(lambda record: "verdict" in record, count)
        return [found] if count == 1 else found

    def finish(self):
        self._thread.join()
        return self

    def __str__(self):
        return "\n".join([*map(json.dumps, self.records), *self.noise])


def says(text):
    """A condition for Log.wait: the message holds a text."""
    return lambda record: text in record.get("message", "")


class Server:
    """A sandbox-serve that is running."""

    def __init__(self, command, env=None, **popen):
        self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                        stderr=subprocess.PIPE, env={**os.environ, **(env or {})}, **popen)
        self.pid = self.process.pid
        self.log = Log(self.process.stderr)
        self.address = None
        self.tls = None  # an ssl.SSLContext

    def listening(self):
        """Waits until it listens; its first address is the one that is asked from then on."""
        said = self.log.wait(says("listening on "))["message"]
        where = re.search(r"listening on (?:https?://)?(\S+)", said)[1]
        if where.startswith("unix:"):
            self.address = where.removeprefix("unix:")
        else:
            host, _, port = where.rpartition(":")
            self.address = (host.strip("[]"), int(port))
        return self

    def connect(self, source=None, address=None):
        """A connection; `source` is the address that it comes from (all of 127.0.0.0/8 is this host)."""
        address = address or self.address
        if isinstance(address, str):
            connected = socket.socket(socket.AF_UNIX)
            connected.connect(address)
        else:
            connected = socket.create_connection(address, source_address=source and (source, 0))
            connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if self.tls:
            connected = self.tls.wrap_socket(connected, server_hostname="localhost")
        return Connection(connected)

    def send(self, method, path, body=None, headers=None, **where):
        """Sends a request on a connection of its own, which is returned: .answer() waits for the answer."""
        return self.connect(**where).ask(method, path, body, {"Connection": "close", **(headers or {})})

    def ask(self, method, path, body=None, headers=None, **where):
        with self.send(method, path, body, headers, **where) as connection:
            answer = connection.answer()
            assert answer is not None, f"no answer to {method} {path}: {self.log}"
            return answer

    def get(self, path, headers=None, **where):
        return self.ask("GET", path, None, headers, **where)

    def post(self, path, body, headers=None, **where):
        return self.ask("POST", path, body, headers, **where)

    def run(self, code, headers=None, **fields):
        """POST /run; the answer must be a job's, and is returned as the object that it is."""
        answer = self.post("/run", {"code": code, **fields}, headers)
        assert answer.status == 200, answer
        return answer.json

    # Jobs that wait for a signal of the test's.

    def hold(self, headers=None, limits=None, **where):
        return Held(self, headers, limits or {}, where)

    def processes(self):
        """The living processes of the server and its jobs."""
        return integration.living(integration.descendants(self.pid) | {self.pid})

    def descriptors(self):
        """How many the service itself has open."""
        return len(os.listdir(f"/proc/{self.pid}/fd"))

    def metrics(self, headers=None):
        """(name, labels…) → value."""
        parser = pytest.importorskip("prometheus_client.parser", reason="needs python3-prometheus-client")
        return {(sample.name, *sorted(sample.labels.values())): sample.value
                for family in parser.text_string_to_metric_families(self.get("/metrics", headers).text)
                for sample in family.samples}

    def metric(self, *name):
        return self.metrics()[name]

    # Its end.

    def signal(self, number):
        self.process.send_signal(number)

    def kill(self):
        """SIGKILL; returns when all that it takes along is dead, which the kernel sees to in its own time."""
        taken = integration.descendants(self.pid)
        self.process.kill()
        integration.until(lambda: not integration.living(taken))

    def wait(self):
        """Its exit status, once it has ended, and all that it wrote is read."""
        status = self.process.wait()
        self.log.finish()
        self.process.stdout.close()
        self.process.stderr.close()
        return status

    def stop(self):
        """Ends it as systemd would; it must exit with 0 and have said nothing that is not a record."""
        if self.process.returncode is None:
            if self.process.poll() is None:
                self.signal(signal.SIGTERM)
            status = self.wait()
            assert (status, self.log.noise) == (0, []), f"{status}\n{self.log}"


class Elsewhere(Server):
    """A service that somebody else has started."""

    def __init__(self, url):
        host, _, port = url.removeprefix("http://").rstrip("/").rpartition(":")
        self.address, self.tls, self.log = (host, int(port)), None, "its log is elsewhere"


class Waiting:
    """Code that runs until the test lets it go on: it waits for a signal that no other such code waits for."""

    _numbers = itertools.cycle(range(signal.SIGRTMIN + 2, signal.SIGRTMAX))

    def __init__(self, server):
        self._server = server
        self._number = next(self._numbers)
        # One that comes between two looks is handled at the end of the next sleep.
        self.code = (f"import signal, time\ndef go(*_): raise SystemExit\nsignal.signal({self._number}, go)\n"
                     "try:\n    while True: time.sleep(0.05)\nfinally: print('let go')")

    def pids(self):
        """Its processes on this host that wait."""
        found = set()
        for pid in integration.descendants(self._server.pid):
            with contextlib.suppress(OSError):
                caught = re.search(r"^SigCgt:\t(\w+)$", pathlib.Path(f"/proc/{pid}/status").read_text(), re.MULTILINE)
                if int(caught[1], 16) & 1 << (self._number - 1):
                    found.add(pid)
        return found

    def pid(self):
        """One of them; None while (or when) there is none."""
        return next(iter(self.pids()), None)

    def started(self):
        until(self.pid)
        return self

    def let_go(self):
        os.kill(self.started().pid(), self._number)


class Held(Waiting):
    """A job of such code, asked for by POST /run."""

    def __init__(self, server, headers, limits, where, first=""):
        super().__init__(server)
        body = {"code": first + self.code, "policy": "default",
                "limits": {"wall_time_ms": 1000 * hang.SECONDS, **limits}}
        self.connection = server.send("POST", "/run", body, headers, **where)

    def release(self):
        """Lets it go on; its answer."""
        self.let_go()
        answer = self.connection.answer()
        assert answer.status == 200 and answer.json["output"].endswith("let go"), answer
        self.connection.close()
        return answer

    def leave(self):
        self.connection.close()


# ── Starting servers ─────────────────────────────────────────────────────────────────────────────


def options(**chosen):
    """jobs=2, log_code=True, host=["a", "b"] → --jobs 2 --log-code --host a --host b"""
    arguments = []
    for name, value in chosen.items():
        for each in value if isinstance(value, (list, tuple)) else [value]:
            if each is not None and each is not False:
                arguments += [f"--{name.replace('_', '-')}"] + ([] if each is True else [str(each)])
    return arguments


def command(listen="127.0.0.1:0", offer_default=True, **chosen):
    """Many tests ask for more than the policies for strangers allow."""
    return [str(SERVE), *options(listen=listen, offer_default=offer_default, **chosen)]


@pytest.fixture
def launch(turn):
    """launch(command, …) starts a program as a server, and sees to its end."""
    servers = []

    def start(*arguments, **keywords):
        servers.append(Server(*arguments, **keywords))
        return servers[-1]

    yield start
    for server in servers:
        if server.process.poll() is None:
            server.kill()
            server.wait()


CLONE_NEWNET = 0x40000000


def isolated(arguments):
    """A command in a network namespace of its own, where it may listen as it likes. 192.0.2.1 and 192.0.2.2 are
    addresses there that are not loopback's."""
    if os.geteuid() != 0:
        pytest.skip("needs root: to make a network namespace")
    setup = 'ip link set lo up && ip addr add 192.0.2.1/24 dev lo && ip addr add 192.0.2.2/24 dev lo && exec "$@"'
    return ["unshare", "--net", "sh", "-c", setup, "sh", *arguments]


@contextlib.contextmanager
def network_of(server):
    """Connections are made in the server's network namespace."""
    with open("/proc/self/ns/net") as ours, open(f"/proc/{server.pid}/ns/net") as its:
        assert integration.libc.setns(its.fileno(), CLONE_NEWNET) == 0
        try:
            yield
        finally:
            assert integration.libc.setns(ours.fileno(), CLONE_NEWNET) == 0


@pytest.fixture
def serve(request, launch):
    """serve(jobs=2, …) starts a server with these options, and returns when it listens. After the test it is
    stopped, must end well, and have left no process."""
    servers = []
    # Interpreters that wait for jobs take most of what a server takes to start.
    how = {"cold": True} if request.node.get_closest_marker("cold") else {}

    def start(env=None, prefix=(), popen=None, **chosen):
        chosen = how | chosen
        servers.append(launch([*prefix, *command(**chosen)], env, **(popen or {})))
        return servers[-1].listening()

    yield start
    for server in servers:
        server.stop()


@pytest.fixture
def refused(launch):
    """refused(…) starts a server that must not come up: the sentence with which it refuses."""
    def start(*words, **chosen):
        server = launch([*command(**chosen), *words])
        status = server.wait()
        said = [record.get("message", "") for record in server.log.records] + server.log.noise
        assert status not in (0, None) and status > 0 and said, (status, str(server.log))
        return said[-1]

    return start


_shared = set()  # pids of servers that outlive a test


@pytest.fixture(scope="session")
def shared_server():
    if os.environ.get("SANDBOX_SERVE_URL"):
        yield Elsewhere(os.environ["SANDBOX_SERVE_URL"])
        return
    server = Server(command(jobs=4)).listening()
    _shared.add(server.pid)
    yield server
    server.stop()


@pytest.fixture
def server(shared_server):
    """A server with nothing configured, which tests share that only ask it."""
    assert isinstance(shared_server, Elsewhere) or shared_server.process.poll() is None, \
        f"the shared server has ended: {shared_server.log}"
    return shared_server


@pytest.fixture
def policies(tmp_path):
    """policies(run={"limits": {"pids": 3}}) makes a directory with the policies, changed like that; returns it.
    Called again, it writes the files anew, as somebody would who edits them."""
    directory = tmp_path / "policies"
    shutil.copytree(POLICIES, directory)

    def write(**changed):
        for name, change in changed.items():
            policy = json.loads((POLICIES / f"{name}.json").read_text())
            for key, value in change.items():
                policy[key] = {**policy[key], **value} if isinstance(value, dict) else value
            (directory / f"{name}.json").write_text(json.dumps(policy))
        return directory

    return write


@pytest.fixture(autouse=True)
def no_process_is_left(turn):
    """Whatever a test did: afterwards nothing of it runs, but for the shared server and what is its."""
    yield
    table = integration.processes()
    ours = integration.below(table, os.getpid()) - _shared - integration.below(table, *_shared)
    left = integration.living(ours)
    told = integration.describe(left)
    for pid in left:
        with contextlib.suppress(OSError):
            os.kill(pid, signal.SIGKILL)
    for pid in ours:
        with contextlib.suppress(ChildProcessError):
            os.waitpid(pid, 0)
    assert not told, f"processes were left: {told}"


# ── Tokens and the like ──────────────────────────────────────────────────────────────────────────


@pytest.fixture
def token(tmp_path):
    """token("name", jobs=1, …) makes one and returns its text; token.file is the file."""
    def add(name, *words, **limits):
        ran = token_command("add", name, *words, *options(tokens=add.file, **limits))
        assert ran.returncode == 0, ran
        return ran.stdout.strip().splitlines()[-1]

    add.file = tmp_path / "tokens"
    return add


def token_command(*arguments):
    return subprocess.run([SERVE, "token", *map(str, arguments)], capture_output=True, text=True, check=False)


def base64_text(data):
    return base64.b64encode(data).decode()

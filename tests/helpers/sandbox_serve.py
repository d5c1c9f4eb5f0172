"""How sandbox-serve is started, asked and watched. Black box: this knows its options, its HTTP and its log. From the
environment, beside what sandbox_run.py takes:

    SANDBOX_SERVE      the program; default: sandbox-serve beside sandbox-run
    SANDBOX_SERVE_URL  a service that runs already (http://HOST:PORT): tests that configure nothing ask that one
"""

import base64
import contextlib
import itertools
import json
import os
import pathlib
import re
import signal
import socket
import subprocess
import threading

import pytest

import waiting
from http_client import Connection
from kernel import libc
from processes import descendants, living, status_of
from sandbox_run import BINARY, CHECKOUT
from waiting import until

SERVE = pathlib.Path(os.environ.get("SANDBOX_SERVE") or BINARY.parent / "sandbox-serve").absolute()
POLICIES = pathlib.Path(os.environ.get("SANDBOX_POLICIES") or CHECKOUT / "policies").absolute()
SANITIZED = bool(os.environ.get("SANDBOX_TEST_SANITIZED"))
CLONE_NEWNET = 0x40000000


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
        return living(descendants(self.pid) | {self.pid})

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
        taken = descendants(self.pid)
        self.process.kill()
        until(lambda: not living(taken))

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
        for pid in descendants(self._server.pid):
            with contextlib.suppress(OSError):
                if int(status_of(pid)["SigCgt"], 16) & 1 << (self._number - 1):
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
                "limits": {"wall_time_ms": 1000 * waiting.SECONDS, **limits}}
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
        assert libc.setns(its.fileno(), CLONE_NEWNET) == 0
        try:
            yield
        finally:
            assert libc.setns(ours.fileno(), CLONE_NEWNET) == 0


def token_command(*arguments):
    return subprocess.run([SERVE, "token", *map(str, arguments)], capture_output=True, text=True, check=False)


def base64_text(data):
    return base64.b64encode(data).decode()

"""Readers of the service's output may stop reading: of its log on a pipe, a terminal or a socket, the journal, the
service manager. The service never waits for them."""

import contextlib
import fcntl
import json
import os
import pty
import re
import socket
import subprocess
import sys
import termios
import threading
import tty

import pytest

from ordinary_user import UID, prefix
from processes import process_table
from sandbox_serve import Server, command, says
from waiting import until

pytestmark = pytest.mark.cold

PADDING = "#" * 4900  # of a job's code, which is in its record
ENOUGH = 20  # such records are more than what any of the readers below has room for


class Unread(Server):
    """A service whose log nobody reads, until read() is called; it is known by its socket."""

    def __init__(self, arguments, where, reader, stderr, pass_fds):
        self.process = subprocess.Popen(arguments, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=stderr,
                                        cwd="/", pass_fds=pass_fds)
        self.pid, self.address, self.tls, self.log = self.process.pid, str(where), None, "unread"
        self.reader = reader

    def listening(self):
        def asked():
            assert self.process.poll() is None
            with contextlib.suppress(OSError):
                return self.get("/version").status == 200
        until(asked)
        return self

    def read(self):
        """All lines that come from now on, until the service has ended; each of them whole."""
        lines, thread = [], threading.Thread(target=lambda: lines.extend(self._lines()), daemon=True)
        thread.start()
        return lines, thread

    def _lines(self):
        with os.fdopen(self.reader, "rb", buffering=0) as file, contextlib.suppress(OSError):  # EIO: of a terminal
            rest = b""
            while data := file.read(65536):
                *whole, rest = (rest + data).split(b"\n")
                yield from whole
            assert rest == b""


def a_pipe():
    reader, writer = os.pipe()
    fcntl.fcntl(writer, fcntl.F_SETPIPE_SZ, 4096)
    return reader, writer


def a_socket():
    reader, writer = socket.socketpair()
    writer.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
    return reader.detach(), writer.detach()


def a_terminal():
    reader, writer = pty.openpty()
    tty.setraw(writer)
    return reader, writer


def a_stopped_terminal():
    """Somebody has pressed Ctrl-S."""
    reader, writer = a_terminal()
    termios.tcflow(writer, termios.TCOOFF)
    return reader, writer


@pytest.fixture
def unread(tmp_path, turn):
    servers = []

    def start(make, prefix=(), where=tmp_path, pass_fds=(), **chosen):
        """`prefix`: what becomes the service, or its program as the last word."""
        reader, writer = make()
        program, *words = command(listen=f"unix:{where}/socket", cold=True, **chosen)
        own = [] if prefix and prefix[-1].endswith("sandbox-serve") else [program]
        with os.fdopen(writer, "wb", buffering=0) as stderr:
            servers.append(Unread([*prefix, *own, *words], where / "socket", reader, stderr, pass_fds))
        return servers[-1].listening()

    yield start
    for server in servers:
        if server.process.poll() is None:
            server.kill()
            server.process.wait()
        server.process.stdout.close()
        with contextlib.suppress(OSError):
            os.close(server.reader)


def flood(server, count=ENOUGH):
    for number in range(count):
        assert server.run(f"print({number})\n{PADDING}")["output"] == str(number)


def assert_serves(server):
    """It does what a service does whose log is read: answers, and ends jobs in time."""
    flood(server)
    assert server.get("/health").status == 200
    assert server.run("while True: pass", timeout=1)["verdict"] == "timeout"
    assert server.get("/health").status == 200


def a_full_device():
    return os.open(os.devnull, os.O_RDONLY), os.open("/dev/full", os.O_WRONLY)


def a_reader_that_is_gone():
    reader, writer = os.pipe()
    os.close(reader)
    return os.open(os.devnull, os.O_RDONLY), writer


KINDS = [a_pipe, a_socket, a_terminal, a_stopped_terminal, a_full_device, a_reader_that_is_gone]


@pytest.mark.parametrize("workers", [1, 2])
@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_the_service_goes_on_when_nobody_reads_its_log(unread, kind, workers):
    server = unread(kind, workers=workers, log_code=True)
    assert_serves(server)
    server.signal(15)
    assert server.process.wait() == 0


LARGE = "#" * 300_000


@pytest.mark.parametrize("kind,workers", [(a_pipe, 1), (a_pipe, 2), (a_socket, 2)],
                         ids=["a_pipe-1", "a_pipe-2", "a_socket-2"])
def test_what_nobody_read_is_kept_up_to_a_bound_and_the_rest_is_counted(unread, kind, workers):
    jobs = 8 * workers
    server = unread(kind, workers=workers, log_code=True)
    for number in range(jobs):
        server.run(f"{number}{LARGE}", policy="default")
    lost = server.metric("sandbox_log_records_lost_total")
    assert 0 < lost < jobs
    lines, thread = server.read()

    def told():
        """Of how many jobs is known what became of their records."""
        return sum(b'"verdict"' in line for line in lines) + sum(
            int(re.search(rb'"lost":(\d+)', line)[1]) for line in lines if b'"lost"' in line)
    until(lambda: told() == jobs)
    for number in range(jobs, jobs + 4):
        server.run(f"{number}#")
    until(lambda: told() == jobs + 4)
    server.signal(15)
    assert server.process.wait() == 0
    thread.join()
    records = [json.loads(line) for line in lines]
    said = [int(record["code"][:2].strip("#")) for record in records if "verdict" in record]
    assert sum(record.get("lost", 0) for record in records) == lost == jobs + 4 - len(said)
    assert len(set(said)) == len(said) and set(range(jobs, jobs + 4)) <= set(said)


def test_a_worker_that_dies_in_the_middle_of_a_line_spoils_that_line_alone(unread):
    server = unread(a_pipe, workers=2, log_code=True)
    said = b""
    while b"listening" not in said:  # both workers are ready
        said += os.read(server.reader, 4096)
    server.run(LARGE, policy="default")
    for pid in [pid for pid, parent in process_table().items() if parent == server.pid]:
        os.kill(pid, 9)
    lines, thread = server.read()
    until(lambda: sum(b"started again" in line for line in lines) == 2)
    server.listening().run("pass")
    server.signal(15)
    assert server.process.wait() == 0
    thread.join()
    records = []
    for line in lines:
        with contextlib.suppress(ValueError):
            records.append(json.loads(line))
    assert len(records) >= len(lines) - 1
    assert sum("verdict" in record for record in records) == 1


@pytest.mark.parametrize("kind", [a_pipe, a_terminal], ids=lambda kind: kind.__name__)
def test_the_callers_descriptor_stays_as_it_was(unread, kind):
    """Were it made non-blocking, so would be that of everybody who shares it: the caller's shell, too."""
    kept = []

    def make():
        reader, writer = kind()
        kept.append(os.dup(writer))
        return reader, writer

    server = unread(make)
    server.run("pass")
    assert fcntl.fcntl(kept[0], fcntl.F_GETFL) & os.O_NONBLOCK == 0
    os.close(kept[0])


# ── What can't be opened again ───────────────────────────────────────────────────────────────────


def a_pipe_of_somebody_elses():
    reader, writer = a_pipe()
    os.fchmod(writer, 0o600)
    return reader, writer


def a_terminal_of_somebody_elses():
    reader, writer = a_terminal()
    os.fchmod(writer, 0o600)
    return reader, writer


@pytest.fixture
def unread_as_another(unread, place):
    """As unread, but the service is another user's than what it writes to."""
    def start(kind, **chosen):
        (place / "run").mkdir()
        os.chown(place / "run", UID, UID)
        become = ["setpriv", f"--reuid={UID}", f"--regid={UID}", "--clear-groups", "--inh-caps=-all"]
        return unread(kind, prefix=[*prefix(place), *become, str(place / "bin" / "sandbox-serve")], where=place / "run",
                      rootfs=place / "rootfs", policies=place / "policies", best_effort=True, cgroup="none", **chosen)

    return start


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root: starts the service as an ordinary user")
@pytest.mark.parametrize("workers", [1, 2])
@pytest.mark.parametrize("kind", [a_pipe_of_somebody_elses, a_terminal_of_somebody_elses],
                         ids=lambda kind: kind.__name__)
def test_the_service_goes_on_where_what_it_writes_to_is_anothers(unread_as_another, kind, workers):
    server = unread_as_another(kind, workers=workers, log_code=True)
    assert_serves(server)
    server.signal(15)
    assert server.process.wait() == 0


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root: starts the service as an ordinary user")
def test_lines_come_through_where_what_it_writes_to_is_anothers(unread_as_another):
    server = unread_as_another(a_pipe_of_somebody_elses)
    lines, thread = server.read()
    server.run("pass")
    server.signal(15)
    assert server.process.wait() == 0
    thread.join()
    assert [record["verdict"] for record in map(json.loads, lines) if "verdict" in record] == ["ok"]
    assert "stopping" in json.loads(lines[-1])["message"]


# ── The journal ──────────────────────────────────────────────────────────────────────────────────

# Makes a journal's socket in a mount namespace of its own, hands it to the test, and becomes the service.
JOURNAL = """
import ctypes, os, socket, sys
libc = ctypes.CDLL(None, use_errno=True)
assert libc.unshare(0x20000) == 0
assert libc.mount(b"none", b"/", None, 0x4000 | 0x40000, None) == 0
assert libc.mount(b"none", b"/run", b"tmpfs", 0, None) == 0
os.makedirs("/run/systemd/journal")
journal = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
journal.bind("/run/systemd/journal/socket")
socket.send_fds(socket.socket(fileno=int(sys.argv[1])), [b"x"], [journal.fileno()])
status = os.fstat(2)
os.environ["JOURNAL_STREAM"] = f"{status.st_dev}:{status.st_ino}"
os.execv(sys.argv[2], sys.argv[2:])
"""


def entries(journal):
    """All that have come; each of them {name: value}."""
    while True:
        try:
            data, fds, _, _ = socket.recv_fds(journal, 1 << 20, 1)
        except BlockingIOError:
            return
        for fd in fds:
            with os.fdopen(fd, "rb") as file:
                data = file.read()
        yield fields_of(data)


def fields_of(data):
    fields = {}
    while data:
        line, _, data = data.partition(b"\n")
        name, equals, value = line.partition(b"=")
        if not equals:
            size = int.from_bytes(data[:8], "little")
            value, data = data[8:8 + size], data[8 + size + 1:]
        fields[name.decode()] = value.decode()
    return fields


@pytest.fixture
def journalled(unread):
    if os.geteuid() != 0:
        pytest.skip("needs root: to be the journal in a mount namespace")
    ours, its = socket.socketpair()

    def start(**chosen):
        its.set_inheritable(True)
        server = unread(lambda: (os.open(os.devnull, os.O_RDONLY), os.open(os.devnull, os.O_WRONLY)),
                        prefix=[sys.executable, "-c", JOURNAL, str(its.fileno())], pass_fds=[its.fileno()], **chosen)
        _, (fd, *_), _, _ = socket.recv_fds(ours, 1, 1)
        journal = socket.socket(fileno=fd)
        journal.setblocking(False)
        return server, journal

    yield start
    ours.close()
    its.close()


def test_the_service_goes_on_when_the_journal_does_not_read(journalled):
    server, journal = journalled(log_code=True, workers=2)
    with journal:
        assert_serves(server)
        flood(server)
        seen = []

        def all_came():
            seen.extend(entries(journal))
            return sum("SANDBOX_VERDICT" in entry for entry in seen) == 2 * ENOUGH + 1
        until(all_came)
        server.signal(15)
        assert server.process.wait() == 0


def test_an_entry_of_the_journal_has_fields_and_none_can_be_forged(journalled):
    server, journal = journalled(log_code=True)
    with journal:
        code = "'\\nSANDBOX_VERDICT=forged\\n'\n#" + LARGE
        answer = server.run(code, policy="default")
        seen = []
        until(lambda: seen.extend(entries(journal)) or any("SANDBOX_VERDICT" in entry for entry in seen))
        entry = next(entry for entry in seen if "SANDBOX_VERDICT" in entry)
        assert entry["SANDBOX_CODE"] == code and entry["SANDBOX_ID"] == answer["id"]
        assert (entry["SANDBOX_VERDICT"], entry["PRIORITY"], entry["MESSAGE"]) == ("ok", "6", "job ended")
        assert entry["SYSLOG_IDENTIFIER"] == "sandbox-serve" and entry["SANDBOX_TOKEN"] == ""


# ── The service manager ──────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("workers", [1, 2])
def test_the_service_goes_on_when_the_manager_does_not_listen(serve, tmp_path, workers):
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(tmp_path / "notify"))
        server = serve(env={"NOTIFY_SOCKET": manager.getsockname(), "WATCHDOG_USEC": "100000000"}, workers=workers)
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as others, contextlib.suppress(BlockingIOError):
            others.setblocking(False)
            while True:
                others.sendto(b"", manager.getsockname())
        server.signal(1)
        server.log.wait(says("read again"), workers)
        assert server.run("while True: pass", timeout=1)["verdict"] == "timeout"
        assert server.get("/health").status == 200
        said = []
        while said[-1:] != ["READY=1"] or "RELOADING=1" not in said:
            said += [line for line in manager.recv(65536).decode().splitlines() if line in ("READY=1", "RELOADING=1")]


# ── Terminals ────────────────────────────────────────────────────────────────────────────────────

# Makes stderr the terminal of a session of its own, which stops those in the background who write to it.
OF_A_SESSION = """
import fcntl, os, sys, termios
os.setsid()
fcntl.ioctl(2, termios.TIOCSCTTY, 0)
mode = termios.tcgetattr(2)
mode[3] |= termios.TOSTOP
termios.tcsetattr(2, termios.TCSANOW, mode)
os.execv(sys.argv[1], sys.argv[1:])
"""


def test_a_terminal_that_stops_what_is_in_the_background_stops_no_worker(unread):
    server = unread(a_terminal, prefix=[sys.executable, "-c", OF_A_SESSION], workers=2)
    lines, thread = server.read()
    for _ in range(4):
        server.run("pass")
    until(lambda: sum(b"job ended" in line for line in lines) == 4)
    server.signal(15)
    assert server.process.wait() == 0
    thread.join()


def test_on_a_terminal_the_log_is_for_people_and_cannot_act_on_the_terminal(unread):
    server = unread(a_terminal, log_code=True)
    lines, thread = server.read()
    code = "'\x1b[2J\x07\x9b\u202e\u2028ü\"'\nprint(1)"
    server.run(code)
    server.signal(15)
    assert server.process.wait() == 0
    thread.join()
    text = [line.decode() for line in lines]
    assert not set("".join(text)) & set("\x1b\x07\x9b\u202e\u2028\r")
    job, = [line for line in text if " job ended" in line]
    assert re.match(r"\d\d:\d\d:\d\d job ended ", job) and " verdict=ok" in job and "code_sha256" not in job
    assert r'code="' in job and "ü" in job and "=null" not in job and r"\u009b" in job
    assert any(re.fullmatch(r"\d\d:\d\d:\d\d listening on unix:\S+", line) for line in text)

"""sandbox-run --via: a script runs in a service, and its user sees what a run on this host would have shown."""

import contextlib
import json
import os
import re
import signal
import socket
import subprocess
import threading

import pytest

from sandbox_run import BINARY, Sandbox
from sandbox_serve import Waiting, command

REFUSED = 125


class Via(Sandbox):
    """sandbox-run with --via. What the tests say of this host's cgroup is not for the service."""

    cgroup = start_kind = None

    def __init__(self, directory, address):
        super().__init__(directory)
        self.address = address

    def command(self, *options, **keywords):
        return super().command("--via", self.address, *options, **keywords)


def address_of(server):
    if isinstance(server.address, str):
        return f"unix:{server.address}"
    return "http://{}:{}".format(*server.address)


@pytest.fixture
def through(tmp_path):
    """through(address) gives what run is, by way of a service."""
    made = []

    def make(server):
        made.append(Via(tmp_path, server if isinstance(server, str) else address_of(server)))
        return made[-1]

    yield make
    for sandbox in made:
        sandbox.close()


@pytest.fixture
def via(through, server):
    return through(server)


def refused(ran, *words):
    assert (ran.status, ran.stdout, len(ran.sentences)) == (REFUSED, "", 1), ran
    for word in words:
        assert str(word) in ran.stderr, (word, ran.stderr)


# ── The same as here ─────────────────────────────────────────────────────────────────────────────

# name: (options, keywords of run)
SAME = {
    "both streams and a status": ([], dict(code="""
        import sys
        print("to stdout")
        print("to stderr", file=sys.stderr)
        sys.exit(7)
        """)),
    "both streams in one": (["--merge-stderr"], dict(code="""
        import os
        for i in range(100):
            os.write(1 + i % 2, b"%d\\n" % i)
        1 / 0
        """)),
    "no newline at the end": ([], dict(code="print('x', end='')")),
    "nothing at all": (["-c", ""], {}),
    "only space": (["-"], dict(stdin=" \n\t\n")),
    "an exception": ([], dict(code="def f(): {}['ü']\nf()")),
    "a syntax error": (["script.py"], {}),
    "a script by its path": (["dir/../dir/script.py", "--json", "-c"], {}),
    "a script with a dash": (["--", "-c.py", "--help"], {}),
    "code from stdin": (["-", "a"], dict(stdin="import sys\nprint(sys.argv, repr(sys.stdin.read()))\n1/0\n")),
    "code from stdin without a word": ([], dict(stdin="print(6 * 7)")),
    "arguments": ([], dict(code="import sys; print(sys.argv)",
                           args=["", "two words", "--json", "-c", "é", "*", "a\nb", "--"])),
    "standard input": ([], dict(code="import sys; print(ascii(sys.stdin.read()))", stdin="ä\0\r\nno newline")),
    "no standard input": ([], dict(code="import sys; print(ascii(sys.stdin.read()))")),
    "a large standard input": ([], dict(code="import sys; print(len(sys.stdin.read()))", stdin="x" * 1_000_000)),
    "bytes that are no text": ([], dict(code=r"""
        import sys
        sys.stdout.buffer.write(bytes(range(256)) * 9)
        sys.stderr.buffer.write(b"\xff\0\n")
        """)),
    "a megabyte": ([], dict(code="print('0123456789' * 100_000)")),
    "the environment": (["--env", "A=1", "--env", "B=x=y ü", "--env", "C=", "--env", "A=2"],
                        dict(code="import os; print(sorted(os.environ.items()))")),
    "files": (["--files", "dir", "--files", "data.txt"], dict(code="""
        import os
        print(sorted((d, sorted(f)) for d, _, f in os.walk("/work")), open("data.txt").read())
        """)),
    "a main among the files": (["--files", "dir/."], dict(code="import main")),
    "a script that the files have too": (["--files", "dir/.", "dir/script.py"], {}),
    "two files of one name": (["--files", "data.txt", "--files", "dir/../data.txt"], dict(code="print(1)")),
    "files of which some are left out": (["--files", "links"], dict(code="import os; print(os.listdir('links'))")),
    "another policy": (["--policy", "run"], dict(code="open('/tmp/x', 'w')")),
    "an unknown function": (["--call", "nothing"], dict(code="x = 1")),
    "no name of a function": (["--call", "a b"], dict(code="x = 1")),
    "the time": (["--timeout", "2s"], dict(code="print('before', flush=True)\nwhile True: pass")),
    "the CPU time": (["--cpu-time", "200ms"], dict(code="while True: pass")),
    "the memory": (["--memory", "64M"], dict(code="x = b'a' * 500_000_000")),
    "the output": (["--output", "1000"], dict(code="print('a' * 5000)\nprint('end')")),
    "the output, in lines": (["--output", "10000"], dict(code="""
        import os, sys
        for i in range(5000):
            os.write(1 + i % 2, "Zeile {} für 😀\\n".format(i).encode())
        """)),
    "quietly": (["--quiet", "--output", "1000", "--timeout", "300ms"],
                dict(code="print('a' * 5000, flush=True)\nwhile True: pass")),
    "too large a result": (["--result", "100", "--call", "main"], dict(code="def main(): return 'x' * 1000")),
    "a fraction of a CPU": (["--cpus", "0.25"], dict(code="print('ran')")),
    "a signal": ([], dict(code="import os; os.abort()")),
    "a signal without a name": ([], dict(code="import os, signal; os.kill(os.getpid(), signal.SIGRTMIN + 3)")),
    "above a cap": (["--pids", "1000000"], dict(code="print(1)")),
    "no such value": (["--memory", "64 potatoes"], dict(code="print(1)")),
    "below what there can be": (["--memory", "1"], dict(code="print(1)")),
    "too much code": (["--code-chars", "10"], dict(code="print('more than ten')")),
    "code with a NUL byte": (["nul.py"], {}),
    "code that is no UTF-8": (["latin.py"], {}),
    "no script": (["missing.py"], {}),
    "a directory": (["dir"], {}),
    "a file that is missing": (["--files", "missing"], dict(code="print(1)")),
    "a meta that can't be": (["--meta", "missing/meta"], dict(code="print(1)")),
}


@pytest.fixture
def place(run, tmp_path):
    """The directory that the options of SAME are about."""
    run.script("x = 1\nprint('a'\n", "script.py")
    run.script("import sys\nprint(sys.argv, __file__)\n1/0\n", "dir/script.py")
    run.script("print('this is main')", "dir/main.py")
    run.script("import sys; print(sys.argv)", "-c.py")
    run.script(b"print(1)\n\0", "nul.py")
    run.script(b"# \xff\nprint(1)\n", "latin.py")
    run.script("of data\n", "data.txt")
    run.script("", "links/file")
    (tmp_path / "links" / "link").symlink_to("file")
    return tmp_path


@pytest.mark.parametrize("case", SAME)
def test_what_is_seen_is_what_a_run_here_shows(run, via, place, case):
    options, keywords = SAME[case]
    here, there = (sandbox(*options, cwd=place, **keywords) for sandbox in (run, via))
    assert (there.status, there.out, there.err) == (here.status, here.out, here.err)


def comparable(verdict):
    """Without what no two runs have in common."""
    assert verdict["id"] and verdict["enforcement"]["missing"] == []
    return {key: value for key, value in verdict.items() if key not in ("usage", "id", "enforcement")}


@pytest.mark.parametrize("code, options", [
    ("print('ü')", []),
    ("1/0", []),
    ("raise SystemExit(3)", []),
    ("import sys; sys.exit('config\\0is missing')", []),
    ("import os; os.abort()", []),
    ("while True: pass", ["--timeout", "200ms"]),
    ("def main(): return [2 ** 200, 0.1, 1e300, 'ü\\n', {'a': {}}, None]", ["--call", "main"]),
    ("def main():\n  x = []\n  for _ in range(300): x = [x]\n  return x", ["--call", "main"]),
    ("def main(): return {'verdict': 'internal', 'result': '\"}'}", ["--call", "main"]),
    ("print('a' * 5000)", ["--output", "1000"]),
    ("import os; os.write(2, b'to stderr\\n'); 1 / 0", ["--merge-stderr"]),
], ids=["ok", "exception", "exit", "exit with a word", "signal", "timeout", "numbers", "nested", "forged", "truncated", "merged"])
def test_a_verdict_is_what_a_run_here_gives(run, via, code, options):
    for more in ({"json": True}, {"meta": True}):
        here, there = (sandbox(*options, code=code, **more) for sandbox in (run, via))
        assert comparable(there.verdict) == comparable(here.verdict)
        assert there.status == here.status
    assert there.verdict["usage"]["wall_time_ms"] > 0
    assert there.verdict["enforcement"].keys() == here.verdict["enforcement"].keys()


def test_the_verdict_of_a_job_that_was_refused_is_internal(via):
    ran = via("--pids", "1000000", code="print(1)", json=True)
    assert (ran.status, ran.verdict["verdict"]) == (REFUSED, "internal")
    assert "caps.pids" in ran.verdict["error"]


def test_output_that_json_cannot_hold_is_replaced_in_json_alone(via):
    ran = via(code=r"import sys; sys.stdout.buffer.write(b'\xff')", json=True)
    assert ran.verdict["stdout"] == "\ufffd"


def test_the_environment_of_the_caller_does_not_travel(via):
    ran = via(code="import os; print(dict(os.environ))", env={"SECRET": "hunter2", "SANDBOX_TOKEN": "t0ken"})
    assert ran.status == 0 and "hunter2" not in ran.stdout and "t0ken" not in ran.stdout


# ── Where the service is ─────────────────────────────────────────────────────────────────────────


def test_by_a_unix_socket(serve, through, tmp_path):
    ran = through(serve(listen=f"unix:{tmp_path}/socket"))(code="print('ran')")
    assert (ran.status, ran.out, ran.err) == (0, b"ran\n", b"")


@pytest.mark.parametrize("form", ["http://localhost:{}", "http://127.0.0.1:{}/", "HTTP://127.0.0.1:{}"])
def test_by_a_name_or_an_address_of_this_host(server, through, form):
    assert through(form.format(server.address[1]))(code="print('ran')").stdout == "ran\n"


def test_by_ipv6(serve, through):
    with socket.socket(socket.AF_INET6) as probe, contextlib.suppress(OSError):
        probe.bind(("::1", 0))
        server = serve(listen="[::1]:0")
        assert through(f"http://[::1]:{server.address[1]}")(code="print('ran')").stdout == "ran\n"
        return
    pytest.skip("this host has no IPv6")


@pytest.mark.parametrize("address, words", [
    ("", ["--via"]),
    ("127.0.0.1:8000", ["unix:/PATH", "http://127.0.0.1:PORT"]),
    ("https://127.0.0.1", ["unix:/PATH"]),
    ("unix:socket", ["absolute"]),
    ("unix:/" + "x" * 200, ["absolute", "107"]),
    ("http://", ["this host"]),
    ("http://example.org", ["this host", "ssh -L"]),
    ("http://192.0.2.1:8000", ["this host"]),
    ("http://[2001:db8::1]:8000", ["this host"]),
    ("http://[::1:8000", ["this host"]),
    ("http://127.0.0.1:8000/run", ["without a path"]),
    ("http://127.0.0.1:", ["port"]),
    ("http://127.0.0.1:0", ["port"]),
    ("http://127.0.0.1:65536", ["port"]),
    ("http://127.0.0.1:99999999999999999999", ["port"]),
    ("http://127.0.0.1:80x", ["port"]),
    ("http://user@127.0.0.1:80", ["this host"]),
    ("http://" + "1" * 100, ["127.0.0.1"]),
])
def test_an_address_that_cannot_be_is_refused(through, address, words):
    refused(through(address)(code="print(1)"), "--via", *words)


def test_a_service_that_is_not_there_is_named(through, tmp_path):
    refused(through(f"unix:{tmp_path}/none")(code="print(1)"), f"unix:{tmp_path}/none", "No such file", "sandbox-serve")
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        refused(through(f"http://127.0.0.1:{bound.getsockname()[1]}")(code="print(1)"), "Connection refused", "--via")


def test_a_socket_of_others_says_who_may(serve, through, tmp_path):
    if os.geteuid() != 0:
        pytest.skip("needs root: to become another user")
    directory = tmp_path / "closed"
    directory.mkdir(0o700)
    serve(listen=f"unix:{directory}/socket")
    binary = tmp_path / "sandbox-run"  # where the other user can reach it
    sandbox = through(f"unix:{directory}/socket")
    with open(BINARY, "rb") as program:
        binary.write_bytes(program.read())
    binary.chmod(0o755)
    program = os.open(binary, os.O_RDONLY)
    sandbox.binary = f"/proc/self/fd/{program}"
    ran = sandbox(code="print(1)", prefix=["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"],
                  pass_fds=[program])
    os.close(program)
    refused(ran, "Permission denied", "--socket-group")


# ── Who may ask ──────────────────────────────────────────────────────────────────────────────────


def test_a_token_comes_from_the_environment(serve, through, token):
    alice = token("alice")
    sandbox = through(serve(tokens=token.file))
    refused(sandbox(code="print(1)"), "a token is required", "SANDBOX_TOKEN")
    refused(sandbox(code="print(1)", env={"SANDBOX_TOKEN": "wrong"}), "unknown", "SANDBOX_TOKEN")
    assert sandbox(code="print('ran')", env={"SANDBOX_TOKEN": alice}).stdout == "ran\n"
    split = sandbox(code="print('ran')", env={"SANDBOX_TOKEN": f"{alice}\r\nX-Other: 1"})
    refused(split, "SANDBOX_TOKEN", "characters")
    assert alice not in split.stderr


def test_a_token_for_another_policy_is_refused_by_name(serve, through, token):
    bob = token("bob", policy="run")
    sandbox = through(serve(tokens=token.file))
    refused(sandbox(code="print(1)", env={"SANDBOX_TOKEN": bob}), "bob", "run", "default")
    assert sandbox("--policy", "run", code="print('ran')", env={"SANDBOX_TOKEN": bob}).stdout == "ran\n"


# ── What can't travel ────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("option", [
    ["--rootfs", "/srv"], ["--python", "/usr/bin/python3"], ["--best-effort"], ["--cgroup", "v1"],
    ["--uid-range", "200000:100"], ["--start", "cold"], ["--doctor"], ["--selftest"], ["--list-policies"], ["--print-policy"],
], ids=lambda option: option[0])
def test_what_is_about_this_host_is_refused_by_name(via, option):
    refused(via(*option, stdin=b""), option[0], "--via")


@pytest.mark.parametrize("name", ["./own.json", "own.json", "/etc/own.json", "sub/own"])
def test_a_policy_file_is_refused_by_name(via, name):
    refused(via("--policy", name, code="print(1)"), name, "policies")


def test_a_policy_that_the_service_does_not_have_is_named(via):
    refused(via("--policy", "nonesuch", code="print(1)"), "nonesuch", "GET /policies")


def test_what_the_environment_says_of_this_host_does_not_matter(via):
    ran = via(code="print('ran')", env={"SANDBOX_ROOTFS": "/nonexistent", "SANDBOX_POLICIES": "/nonexistent"})
    assert (ran.status, ran.stdout) == (0, "ran\n"), ran


def test_files_and_input_may_be_any_bytes(via, tmp_path):
    everything = bytes(range(256)) * 500
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "data.bin").write_bytes(everything)
    (tmp_path / "in" / "latin.py").write_bytes(b"# coding: latin-1\nword = 'caf\xe9'\n")
    (tmp_path / "in" / "ascii.py").write_bytes(b"# coding: utf-7\nword = '+AOk-'\n")
    (tmp_path / "in" / "empty").write_bytes(b"")
    ran = via("--files", "in", code="""
import os, sys
sys.path.insert(0, "in")
import latin, ascii
sys.stdout.buffer.write(open("in/data.bin", "rb").read() + sys.stdin.buffer.read())
print(ascii.word, latin.word, os.path.getsize("in/empty"), file=sys.stderr)
""", stdin=everything, cwd=tmp_path)
    assert ran.out == everything * 2, ran
    assert ran.stderr == "\u00e9 caf\u00e9 0\n"


def test_names_that_are_no_text_are_refused(via, tmp_path):
    (tmp_path / os.fsdecode(b"\xff")).write_text("")
    refused(via("--files", ".", code="print(1)", cwd=tmp_path), "name of a file", "UTF-8", "--via")
    refused(via(code="print(1)", args=[os.fsdecode(b"\xff")]), "argument", "UTF-8")
    refused(via("--env", os.fsdecode(b"A=\xff"), code="print(1)"), "--env", "UTF-8")


def test_more_than_the_service_takes_is_refused_in_its_words(serve, through):
    sandbox = through(serve(max_body="64K"))
    ran = sandbox(code="print(1)", stdin="x" * 10_000_000)
    refused(ran, "body", 64 * 1024)


def test_a_busy_service_says_so(serve, through):
    server = serve(jobs=1, queue=0)
    held = server.hold().started()
    refused(through(server)(code="print(1)"), "busy")
    held.release()


def test_a_terminal_is_not_read(via):
    ours, theirs = os.openpty()
    ran = via(code="import sys; print(repr(sys.stdin.read()))", stdin=theirs)
    os.close(ours)
    os.close(theirs)
    assert ran.stdout == "''\n"


# ── Its end ──────────────────────────────────────────────────────────────────────────────────────


def held(server, sandbox, **keywords):
    """A run that waits in the service, once it does."""
    job = Waiting(server)
    started = sandbox.start(code=job.code, stdin=subprocess.DEVNULL, **keywords)
    return started, job.started()


def test_output_comes_as_the_script_writes_it(serve, through):
    server = serve()
    job = Waiting(server)
    started = through(server).start(code="import os; os.write(1, b'out\\xff\\n'); os.write(2, b'err\\n')\n" + job.code,
                                    stdin=subprocess.DEVNULL)
    started.expect("out\udcff")
    started.expect("err", "stderr")
    job.started()
    job.let_go()
    ran = started.finish()
    assert (ran.status, ran.out) == (0, b"let go\n")


def test_what_was_written_before_a_signal_has_been_seen(serve, through):
    server = serve()
    job = Waiting(server)
    started = through(server).start(code="print('before', flush=True)\n" + job.code, stdin=subprocess.DEVNULL)
    started.expect("before")
    started.signal(signal.SIGINT)
    assert started.finish().status == 130


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT])
def test_a_signal_ends_the_job_and_is_told_as_here(serve, through, number):
    server = serve()
    started, job = held(server, through(server), meta=True)
    started.signal(number)
    ran = started.finish()
    assert (ran.status, ran.out) == (128 + number, b"")
    assert ran.stderr == f"sandbox-run: interrupted by {number.name}\n"
    assert (ran.verdict["verdict"], ran.verdict["signal"]) == ("signal", number.name)
    assert "had left" in server.log.wait(lambda record: "verdict" in record)["message"]
    assert job.pid() is None


def test_an_interrupted_run_gives_its_verdict_as_json(serve, through):
    server = serve()
    started, _ = held(server, through(server), json=True)
    started.signal(signal.SIGINT)
    ran = started.finish()
    assert (ran.status, ran.verdict["verdict"], ran.verdict["error"]) == (130, "signal", "interrupted by SIGINT")


def test_a_signal_that_was_ignored_stays_ignored(serve, through):
    server = serve()
    started, job = held(server, through(server), prefix=["sh", "-c", "trap '' HUP; exec \"$@\"", "sh"])
    started.signal(signal.SIGHUP)
    job.let_go()
    assert started.finish().stdout == "let go\n"


def test_a_service_that_dies_is_told(launch, through):
    server = launch(command()).listening()
    started, _ = held(server, through(server))
    server.kill()
    server.wait()
    refused(started.finish(), "closed the connection", "log")


def test_a_service_that_stops_ends_the_job_with_its_reason(serve, through):
    server = serve(grace="0s")
    started, _ = held(server, through(server))
    server.signal(signal.SIGTERM)
    ran = started.finish()
    assert ran.status == 137 and len(ran.sentences) == 1 and "stop" in ran.stderr, ran


def test_a_reader_that_leaves_is_sigpipe(via):
    shell = ["bash", "-c", '"$@" | head -c 1 >/dev/null; exit ${PIPESTATUS[0]}', "bash"]
    ran = via(code="print('x' * 1_000_000)", prefix=shell)
    assert (ran.status, ran.err) == (141, b""), ran


def test_a_full_disk_is_told(via):
    with open("/dev/full", "wb") as full:
        ran = via(code="print(1)", stdout=full)
    assert ran.status == REFUSED and "can't write stdout: No space left" in ran.stderr


# ── Others than a service ────────────────────────────────────────────────────────────────────────

HEAD = b"HTTP/1.1 200 OK\r\n"
VERDICT = json.dumps({
    "status": "success", "output": "1", "verdict": "ok", "stdout": "MQo=", "stderr": "",
    "truncated": {"stdout": 0, "stderr": 0}, "exit_code": 0, "signal": None, "result": None,
    "usage": {"wall_time_ms": 1.0, "cpu_time_ms": 1.0, "memory_peak_bytes": None, "pids_peak": None},
    "enforcement": {"cgroup": "v2", "start": "warm", "missing": []}, "id": "x"}, separators=(",", ":")).encode()


def length(body):
    return b"Content-Length: %d\r\n\r\n" % len(body) + body


@pytest.fixture
def stranger(through):
    """stranger(bytes) is a run through something that answers with these bytes."""
    def ask(answer):
        with socket.create_server(("127.0.0.1", 0)) as listening:
            def serve_one():
                connection, _ = listening.accept()
                with connection:
                    seen = b""
                    while b'"base64":true}' not in seen:
                        seen += connection.recv(65536)
                    with contextlib.suppress(OSError):
                        connection.sendall(answer)
            thread = threading.Thread(target=serve_one)
            thread.start()
            ran = through("http://127.0.0.1:{}".format(listening.getsockname()[1]))("--quiet", code="print(1)")
            thread.join()
            return ran

    return ask


@pytest.mark.parametrize("answer", [
    HEAD + length(VERDICT),
    HEAD + b"content-length:%d\r\n\r\n" % len(VERDICT) + VERDICT + b"more",
    HEAD + b"\r\n" + VERDICT,
    b"HTTP/1.1 100 Continue\r\n\r\n" + HEAD + length(VERDICT),
    b"HTTP/1.0 200 OK\r\n" + length(VERDICT),
], ids=["plain", "more behind it", "to the end", "continue", "HTTP/1.0"])
def test_an_answer_may_be_framed_in_several_ways(stranger, answer):
    ran = stranger(answer)
    assert (ran.status, ran.out) == (0, b"1\n"), ran


LINES = b"HTTP/1.1 200 OK\r\nContent-Type: application/x-ndjson\r\n\r\n"
OUTPUT = b'{"event":"stdout","base64":"MQo="}\n'
LAST = b'{"event":"verdict",' + VERDICT[1:] + b"\n"


@pytest.mark.parametrize("lines", [LAST, b"\n" + LAST + b"\n", b'{"event":"start"}\n{"event":"new","x":[1]}\n' + LAST,
                                   LAST + OUTPUT], ids=["last", "empty", "unknown", "more behind it"])
def test_an_answer_may_come_in_lines(stranger, lines):
    ran = stranger(LINES + OUTPUT + lines)
    assert (ran.status, ran.out) == (0, b"1\n"), ran


@pytest.mark.parametrize("lines", [b"", LAST[:-1], b"{}\n", b"[]\n", b"null\n", b"1\n", b'{"event":1}\n',
                                   b'{"event":"stdout"}\n', b'{"event":"stdout","base64":"*"}\n',
                                   b'{"event":"stdout","base64":1}\n', b'{"event":"verdict"}\n', b"{" * 100000 + b"\n"],
                         ids=lambda lines: repr(lines[:40]))
def test_lines_that_are_no_answer_are_a_failure(stranger, lines):
    ran = stranger(LINES + OUTPUT + lines)
    assert (ran.status, ran.out, ran.err) == (REFUSED, b"1\n", b""), ran


@pytest.mark.parametrize("answer", [
    b"", b"\r\n\r\n", b"SSH-2.0-OpenSSH\r\n\r\n", b"HTTP/1.1\r\n\r\n", HEAD, HEAD + b"Content-Length: 5\r\n\r\n{}",
    HEAD + length(b""), HEAD + length(b"{}"), HEAD + length(b"[]"), HEAD + length(b"null"), HEAD + length(b"{" * 100000),
    HEAD + length(b'{"verdict":"ok"}'), HEAD + length(b'{"verdict":"fine","stdout":"","stderr":""}'),
    HEAD + length(b'{"verdict":["ok"],"stdout":"","stderr":""}'), HEAD + length(b'{"verdict":"ok","stdout":"'),
    HEAD + length(b'{"error":5}'), HEAD + length(b'{"a":"\\'), HEAD + length(b'{"' + b"a" * 100 + b'":1}'),
    HEAD + length(VERDICT[:-1]), HEAD + b"Content-Length: -1\r\n\r\n" + VERDICT,
    HEAD + b"Content-Length: 99999999999999999999999\r\n\r\n" + VERDICT, HEAD + b"Content-Length: 1x\r\n\r\n" + VERDICT,
    HEAD + b"Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
    b"HTTP/1.1 502 Bad Gateway\r\n" + length(b"<html>"), HEAD + b"X: " + b"x" * 100000,
], ids=lambda answer: repr(answer[:40]))
def test_what_is_no_answer_of_a_service_is_a_failure(stranger, answer):
    ran = stranger(answer)
    assert (ran.status, ran.out, ran.err) == (REFUSED, b"", b""), ran


def test_what_is_no_answer_of_a_service_is_told_with_its_address(through):
    with socket.create_server(("127.0.0.1", 0)) as listening:
        address = "http://127.0.0.1:{}".format(listening.getsockname()[1])
        started = through(address).start(code="print(1)", stdin=subprocess.DEVNULL)
        connection, _ = listening.accept()
        with connection:
            connection.recv(65536)
            connection.sendall(b"HTTP/1.1 404 Not Found\r\n" + length(b"nothing here"))
            refused(started.finish(), address, "404", "sandbox-serve")


# ── Graded runs ──────────────────────────────────────────────────────────────────────────────────


CASES = [{"name": "right", "stdin": "2", "expected": {"stdout": "4"}}, {"stdin": {"base64": "Mw=="}, "expected": {"stdout": "7"}},
         {"stdin": "x"}, {"call": {"name": "f", "args": [10**15]}, "expected": {"result": 10**15}, "stdin": "1"}]
GRADED = "def f(n): return n\nprint(2 * int(input()))"


def test_cases_run_in_the_service_as_they_run_here(server, tmp_path):
    (tmp_path / "cases.json").write_text(json.dumps(CASES))
    command = [BINARY, "--cases", tmp_path / "cases.json", "--policy", "run"]
    told = {}
    for where, options in (("here", []), ("there", ["--via", address_of(server)])):
        table = subprocess.run([*command, *options, "-c", GRADED], capture_output=True, text=True, check=False)
        answer = subprocess.run([*command, *options, "--json", "-c", GRADED], capture_output=True, check=False)
        cases = json.loads(answer.stdout)["cases"]
        told[where] = (re.sub(r"\d+\.\d", "MS", re.sub(" +", " ", table.stdout)), table.returncode, answer.returncode,
                       [{name: case.get(name) for name in ("verdict", "stdout", "stderr", "correct", "result", "name")}
                        for case in cases])
    assert told["there"] == told["here"] and told["here"][1] == 1
    assert [case["correct"] for case in told["there"][3]] == [True, False, None, True]


def test_cases_that_a_service_refuses_are_told(server, tmp_path):
    (tmp_path / "cases.json").write_text('[{"args": ["x"], "files": {"../a": ""}}]')
    ran = subprocess.run([BINARY, "--cases", tmp_path / "cases.json", "--policy", "run", "--via", address_of(server), "-c", ""],
                         capture_output=True, text=True, check=False)
    assert ran.returncode == 125 and '"cases[0]"' in ran.stderr

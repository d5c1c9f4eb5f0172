"""Bytes into a job: files and standard input that are not text, forms as curl and browsers send them, and forms that
are made to hurt."""

import base64
import concurrent.futures
import contextlib
import hashlib
import json
import os
import pathlib
import re
import signal
import subprocess

import pytest

from sandbox_serve import SANITIZED
from waiting import until

EVERYTHING = bytes(range(256)) * 40
SHOW = """
import os
print(sorted((os.path.join(where, name)[2:], os.path.getsize(os.path.join(where, name)))
             for where, _, names in os.walk(".") for name in names))
"""


def form(*parts, boundary="b", end=True):
    """A form of (header, bytes)."""
    body = b"".join(b"--%s\r\nContent-Disposition: form-data; %s\r\n\r\n%s\r\n" % (
        boundary.encode(), head if isinstance(head, bytes) else head.encode(),
        data if isinstance(data, bytes) else data.encode()) for head, data in parts)
    return body + (b"--%s--\r\n" % boundary.encode() if end else b"")


def send(server, body, content_type="multipart/form-data; boundary=b", path="/run", **headers):
    return server.post(path, body, {"Content-Type": content_type, **headers})


def curl(server, *options, cwd=None):
    host, port = server.address
    done = subprocess.run(["curl", "-sS", *options, f"http://{host}:{port}/run"], cwd=cwd, capture_output=True,
                          check=True, timeout=60)
    return json.loads(done.stdout)


# ── base64 ──────────────────────────────────────────────────────────────────────────────────────────────────────────

def test_files_and_input_may_be_any_bytes(server):
    answer = server.run("import sys\n"
                        "sys.stdout.buffer.write(open('a/b/data.bin', 'rb').read() + sys.stdin.buffer.read())",
                        files={"a/b/data.bin": {"base64": base64.b64encode(EVERYTHING).decode()}},
                        stdin={"base64": base64.b64encode(EVERYTHING).decode()}, base64=True)
    assert base64.b64decode(answer["stdout"]) == EVERYTHING * 2, answer


@pytest.mark.parametrize("value", [
    {"text": "words"}, {"size": 5, "type": "text/plain", "text": "words"},
    {"size": 5, "type": "application/octet-stream", "base64": "d29yZHM="}, {"base64": "d29yZHM=", "size": -1}])
def test_a_file_of_an_answer_may_be_sent_back_as_it_came(server, value):
    answer = server.run("print(open('f').read(), input())", files={"f": value}, stdin=value)
    assert answer["stdout"] == "words words\n", answer


@pytest.mark.parametrize("garbage", ["A", "AA=", "AA==AA==", "AA==\n", " AA==", "A-_=", "====", "\u00e9\u00e9", "AA\x00=",
                                     "A" * 1_000_001])
@pytest.mark.parametrize("field", ["stdin", "files"])
def test_what_is_not_base64_is_refused_by_its_field(server, field, garbage):
    value = {"base64": garbage}
    answer = server.post("/run", {"code": "1", field: {"n": value} if field == "files" else value})
    assert (answer.status, answer.field) == (400, "files.n.base64" if field == "files" else "stdin.base64"), answer


# ── Forms as people send them ───────────────────────────────────────────────────────────────────────────────────────

@pytest.fixture
def place(tmp_path):
    (tmp_path / "data.csv").write_bytes(EVERYTHING)
    (tmp_path / "words.txt").write_bytes(b"w\xc3\xb6rter")
    (tmp_path / "script.py").write_text("import sys\nprint(sys.argv, len(open('data.csv', 'rb').read()))\n1/0\n")
    (tmp_path / "latin.py").write_bytes(b"# coding: latin-1\nprint('caf\xe9')\n")
    (tmp_path / "main.py").write_text("print(open('words.txt').read())\n")
    (tmp_path / "job.json").write_text(json.dumps({"code": "import os; print(os.listdir(), input())", "stdin": "in",
                                                   "files": {"other": ""}}))
    return tmp_path


def test_curl_sends_a_script_and_its_files(server, place):
    answer = curl(server, "-F", "code=@script.py", "-F", "data.csv=@data.csv", cwd=place)
    assert answer["stdout"] == f"['script.py'] {len(EVERYTHING)}\n" and 'File "script.py", line 3' in answer["stderr"]


def test_curl_sends_a_request_and_its_files(server, place):
    answer = curl(server, "-F", "file=@data.csv", "-F", "request=@job.json", "-F", "file=@words.txt", cwd=place)
    assert answer["verdict"] == "ok", answer
    for name in ("data.csv", "words.txt", "other", "main.py"):
        assert repr(name) in answer["stdout"]
    assert answer["stdout"].endswith(" in\n")


def test_a_file_named_main_is_the_script(server, place):
    answer = curl(server, "-F", "a=@main.py", "-F", "b=@words.txt", cwd=place)
    assert answer["stdout"] == "w\u00f6rter\n", answer


def test_the_other_fields_are_parts_without_a_file_name(server, place):
    answer = curl(
        server, "-F", "code=import sys, os\nprint(sys.argv, os.environ['A'], input())\ndef f(x): return x + 1",
        "-F", "policy=run_code", "-F", "timeout=2.5", "-F", 'args=["a","b"]', "-F", 'env={"A": "1"}',
        "-F", 'call={"name": "f", "args": [1]}', "-F", "stdin=@words.txt", "-F", "name=x.py", "-F", 'limits={"pids": 5}',
        cwd=place)
    assert (answer["stdout"], answer["result"]) == ("['x.py', 'a', 'b'] 1 w\u00f6rter\n", 2), answer


def test_a_script_in_another_encoding_is_sent_as_its_bytes(server, place):
    assert curl(server, "-F", "code=@latin.py", cwd=place)["stdout"] == "caf\u00e9\n"


def test_names_of_files_are_paths(server, place):
    answer = curl(server, "-F", "file=@data.csv;filename=in/deep/data.csv", "-F", "file=@data.csv;filename=./a b\u00e9\"",
                  "-F", "code=" + SHOW, cwd=place)
    assert "('in/deep/data.csv'" in answer["stdout"] and "a b\u00e9\"" in answer["stdout"], answer


def test_a_form_by_chunks_is_the_same_form(server):
    body = form(('name="code"', "print(len(open('f').read()))"), ('name=f; filename=f', "x" * 50_000))
    with server.connect() as connection:
        connection.send(b"POST /run HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n"
                        b"Content-Type: multipart/form-data; boundary=\"b\"\r\n\r\n")
        for at in range(0, len(body), 7_001):
            piece = body[at:at + 7_001]
            connection.send(b"%x\r\n%s\r\n" % (len(piece), piece))
        connection.send(b"0\r\n\r\n")
        assert connection.answer().json["stdout"] == "50000\n"


# ── Forms that nobody sends by mistake ──────────────────────────────────────────────────────────────────────────────

CODE = ('name="code"', "pass")


@pytest.mark.parametrize("name", ["../x", "/etc/passwd", "a/../../x", "..", ".", "", "a/", "x" * 256, "a/" * 600 + "x",
                                  "%0A/../../x"])
def test_names_that_lead_elsewhere_are_refused(server, name):
    answer = send(server, form(CODE, (f'name="f"; filename="{name}"', "x")))
    assert (answer.status, answer.field) == (400, "files"), answer


@pytest.mark.parametrize("name, field", [(b"a\0b", "body"), (b"a\nb", "body"), (b"a\rb", "body"), (b"\xff", "files"),
                                         (b"\xc0\xaf", "files"), (b"\xed\xa0\x80", "files")])
def test_names_that_are_no_text_are_refused(server, name, field):
    answer = send(server, form(CODE, (b'name="f"; filename="' + name + b'"', "x")))
    assert (answer.status, answer.field) == (400, field), answer


def test_a_newline_in_a_name_is_part_of_it(server):
    answer = send(server, form(('name=code', "import os; print(os.listdir())"), ('name=f; filename="a%0D%0Ab"', "")))
    assert r"'a\r\nb'" in answer.json["stdout"], answer


@pytest.mark.parametrize("parts, field", [
    ([CODE, CODE], "code"),
    ([("name=request", '{"code": "1"}'), CODE], "code"),
    ([("name=request", '{"code": "1"}'), ("name=request", '{"code": "1"}')], "request"),
    ([("name=request", '{"code": "1", "stdin": ""}'), ("name=stdin", "")], "stdin"),
    ([CODE, ("name=stdin", ""), ("name=stdin; filename=x", "")], "stdin"),
    ([("name=request", '{"code": "1", "policy": "run"}'), ("name=policy", "run")], "policy"),
    ([CODE, ("name=timeout", "1"), ("name=timeout", "1")], "timeout"),
    ([CODE, ("name=f; filename=a", ""), ("name=f; filename=b/../a", "")], "files"),
    ([("name=request", '{"code": "1", "files": {"a": ""}}'), ("name=f; filename=a", "")], "files"),
    ([CODE, ("name=timeout", '1, "policy": "default"')], "timeout"),
    ([CODE, ("name=timeout", '1}{')], "timeout"),
    ([CODE, ("name=timeout", b'1\0')], "timeout"),
    ([CODE, ("name=policy", b'\xff')], "policy"),
    ([CODE, ("name=args", "[" * 10_000)], "args"),
    ([CODE, ("name=args", json.dumps([""] * 10_000))], "args"),
    ([CODE, ("name=memory", "1")], "memory"),
    ([("name=code", b"\xff")], "code"),
    ([("name=code", b"a\0b"), ("name=f; filename=a", "")], "code"),
    ([("name=f; filename=main.py", b"a\0b")], "files.main.py"),
    ([("name=f; filename=a.py", b"1")], "code"),
    ([("name=request", "{")], None),
    ([("name=request", "")], None),
    ([], "code"),
])
def test_what_is_wrong_is_refused_by_its_field(server, parts, field):
    answer = send(server, form(*parts))
    assert (answer.status, answer.field) == (400, field), answer


@pytest.mark.parametrize("body", [
    b"x", b"--b", b"\r\n" + form(CODE), form(CODE) + b"x", form(CODE, end=False), b"--b\r\n" * 1000, b"--b" * 100_000,
    b"--b\r\n" + b"\r\n" * 500_000, b"--b\r\n" + b"X: y\r\n" * 200_000, b"--b\r\nX: " + b"y" * 1_000_000 + b"\r\n\r\n",
    form(*[("name=f; filename=f", "")] * 1001), b"--b\r\n" + b"\r\n--b\r\n" * 200_000, form(CODE) + form(CODE),
    form(("name=code\r\nContent-Transfer-Encoding: base64", "cGFzcw==")),
    form(("name=f\r\nContent-Type: multipart/mixed; boundary=c", "--c\r\n\r\n\r\n--c--"), CODE),
], ids=lambda body: f"{body[:24]}-{len(body)}")
def test_bombs_are_refused_and_the_service_goes_on(server, body):
    answer = send(server, body)
    assert (answer.status, answer.field) == (400, "body"), answer
    assert server.run("print(1)")["stdout"] == "1\n"


def test_a_million_parts_are_more_than_are_read(server):
    body = b"--b\r\nContent-Disposition: form-data; name=f; filename=f\r\n\r\n\r\n" * 25_000
    answer = send(server, body)
    assert (answer.status, answer.field) == (400, "body") and "1000 parts" in answer.error


@pytest.mark.parametrize("content_type", [
    "multipart/form-data", "multipart/form-data; boundary=", "multipart/form-data; boundary=" + "b" * 71,
    "multipart/form-data; boundary=b; boundary=c", 'multipart/form-data; boundary="b', "multipart/form-data; boundary=b*"])
def test_a_boundary_is_one_that_is_allowed(server, content_type):
    answer = send(server, form(CODE), content_type)
    assert (answer.status, answer.field) == (400, "Content-Type"), answer


@pytest.mark.parametrize("path, content_type", [
    ("/run_code", "multipart/form-data; boundary=b"), ("/execute", "multipart/form-data; boundary=b"),
    ("/run", "multipart/mixed; boundary=b"), ("/run", "application/x-www-form-urlencoded")])
def test_forms_are_taken_where_they_are_documented_alone(server, path, content_type):
    assert send(server, form(CODE), content_type, path).status == 415


@pytest.mark.parametrize("headers", [{"Origin": "https://evil.example"}, {"Origin": "null"},
                                     {"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "same-site"},
                                     {"Host": "rebound.example"}])
def test_a_page_of_another_site_sends_no_form(server, headers):
    """A browser sends a form without asking first, unlike JSON."""
    assert send(server, form(CODE), **headers).status in (403, 421)


def test_the_pages_of_the_service_send_forms(server):
    host, port = server.address
    for headers in ({"Origin": f"http://{host}:{port}", "Host": f"{host}:{port}"}, {"Sec-Fetch-Site": "same-origin"}):
        answer = send(server, form(("name=code", "print(1)")), **headers, **{"User-Agent": "Mozilla/5.0"})
        assert answer.json["stdout"] == "1\n", answer


@pytest.mark.parametrize("limit, count, size", [("tmp_files", 20, 0), ("tmp_bytes", 1, 200_000)])
def test_limits_of_the_policy_are_checked_before_anything_starts(server, limit, count, size):
    most = {"tmp_files": 16, "tmp_bytes": 65536}[limit]
    files = [(f"name=f; filename=f{number}", b"x" * size) for number in range(count)]
    answer = send(server, form(CODE, ("name=limits", json.dumps({limit: most})), *files))
    assert (answer.status, answer.field) == (400, "files") and limit in answer.error, answer


# ── Large bodies ────────────────────────────────────────────────────────────────────────────────────────────────────

MIB = 1 << 20
COUNT = "import sys; print(len(sys.stdin.buffer.read()))"


def anonymous(server):
    """The service's own memory, in bytes: pages of files do not count."""
    status = pathlib.Path(f"/proc/{server.pid}/status").read_text()
    return 1024 * int(re.search(r"RssAnon:\s+(\d+)", status)[1])


def half(server, size, source="127.0.0.2"):
    """A connection on which the last byte of a body is missing."""
    connection = server.connect(source=source)
    with contextlib.suppress(BrokenPipeError, ConnectionResetError):
        connection.send(b"POST /run HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
                        b"Content-Length: %d\r\n\r\n" % size + b" " * (size - 1))
    return connection


@pytest.mark.parametrize("way", ["JSON", "base64", "form"])
def test_a_job_may_be_given_many_megabytes(server, way):
    data = EVERYTHING * 600
    if way == "form":
        answer = send(server, form(("name=code", COUNT), ("name=stdin; filename=x", data))).json
    elif way == "base64":
        answer = server.run(COUNT, stdin={"base64": base64.b64encode(data).decode()})
    else:
        answer = server.run(COUNT, stdin="x" * len(data))
    assert answer["stdout"] == f"{len(data)}\n", answer


@pytest.mark.long
@pytest.mark.parametrize("way", ["JSON", "form"])
def test_many_uploads_at_once_take_no_more_memory_than_allowed_and_none_is_lost(serve, way):
    """Most of them wait for their turn: their bodies are on the disk meanwhile, and have no name there."""
    count, size = 200, MIB
    server = serve(jobs=2, upload_memory="24M", upload_dir="/var/tmp", queue_time="10m", connections_per_address=1000)
    data = "x" * (size - 100)
    body, kind = (form(("name=code", COUNT), ("name=stdin", data)), "multipart/form-data; boundary=b") if way == "form" \
        else (json.dumps({"code": COUNT, "stdin": data}).encode(), "application/json")
    before, seen = anonymous(server), []

    def upload(_):
        answer = send(server, body, kind)
        return answer.status, answer.json.get("output", answer.body)

    with concurrent.futures.ThreadPoolExecutor(count) as pool:
        answers = [pool.submit(upload, number) for number in range(count)]
        while not all(answer.done() for answer in answers):
            seen.append(anonymous(server) - before)
            concurrent.futures.wait(answers, timeout=0.02)
    assert {answer.result() for answer in answers} == {(200, str(size - 100))}
    # What arrives in memory, and the copies that the two jobs, and the one that is read just now, have.
    assert SANITIZED or max(seen) < 24 * MIB + 20 * size, max(seen)


def test_a_large_request_that_waits_is_read_again_as_it_came(serve):
    """Its texts and bytes were decoded where they stood in the body, before it had to wait."""
    server = serve(jobs=1, upload_dir="/var/tmp")
    text = 'a "line"\n\\ and \U0001f600\n' * 40_000
    held = server.hold(source="127.0.0.2").started()
    with server.connect(source="127.0.0.3") as connection:
        connection.ask("POST", "/run", json.dumps({
            "code": "import sys, hashlib\nfor data in (sys.stdin.buffer.read(), open('f', 'rb').read()):\n"
                    "    print(hashlib.sha256(data).hexdigest())",
            "stdin": text, "files": {"f": {"base64": base64.b64encode(EVERYTHING * 50).decode()}}}).encode())
        until(lambda: server.metric("sandbox_queue_length") == 1)
        held.release()
        answer = connection.answer().json
    assert answer["stdout"].split() == [hashlib.sha256(text.encode()).hexdigest(),
                                        hashlib.sha256(EVERYTHING * 50).hexdigest()], answer


def refusals(server):
    return sum(value for (name, *_), value in server.metrics().items() if name == "sandbox_refused_total")


def test_a_client_that_fills_the_queue_with_large_bodies_leaves_room_for_those_of_others(serve):
    server = serve(upload_dir="/var/tmp", upload_memory="1M", jobs=1)  # 16 MiB of files
    held = server.hold(source="127.0.0.2").started()
    body = json.dumps({"code": COUNT, "stdin": "x" * (MIB - 100)}).encode()
    with contextlib.ExitStack() as stack:
        hoard = [stack.enter_context(server.connect(source="127.0.0.2")) for _ in range(20)]
        for connection in hoard:
            connection.ask("POST", "/run", body)
        until(lambda: server.metric("sandbox_queue_length") + refusals(server) == 20)
        other = stack.enter_context(server.connect(source="127.0.0.3"))
        other.ask("POST", "/run", body)
        assert other.answer().json["stdout"] == f"{MIB - 100}\n"
        held.release()
        assert 4 <= [connection.answer().status for connection in hoard].count(503) <= 12


def files_below(server, directory):
    """Those that the service has open there."""
    found = []
    for entry in pathlib.Path(f"/proc/{server.pid}/fd").iterdir():
        with contextlib.suppress(FileNotFoundError):  # closed meanwhile
            found.append(os.readlink(entry))
    return [target for target in found if target.startswith(str(directory))]


def test_a_large_body_is_in_a_file_without_a_name(serve, tmp_path):
    directory = tmp_path / "uploads"
    directory.mkdir()
    server = serve(upload_dir=directory)
    with half(server, 4 * MIB):
        until(lambda: files_below(server, directory))
        assert files_below(server, directory)[0].endswith("(deleted)") and not list(directory.iterdir())
    until(lambda: not files_below(server, directory))


@pytest.mark.parametrize("directory, memory, fit", [("/var/tmp", "1M", 16), ("/dev/shm", "16M", 16)])
def test_files_have_a_bound_and_the_client_that_holds_the_most_loses_one(serve, directory, memory, fit):
    """On a disk they may take sixteen times --upload-memory; in a tmpfs they take memory."""
    server = serve(upload_dir=directory, upload_memory=memory, body_timeout="1h")
    with contextlib.ExitStack() as stack:
        crowd = [stack.enter_context(half(server, MIB)) for _ in range(fit + 4)]
        assert server.run(COUNT, stdin="x" * 600_000)["stdout"] == "600000\n"
        until(lambda: sum(connection.answered() for connection in crowd) >= 4)
        lost = [connection for connection in crowd if connection.answered()]
        assert 4 <= len(lost) <= 6 and lost[0].answer().status == 503


def test_a_directory_that_can_not_be_written_is_refused_at_the_start(refused):
    assert "--upload-dir /proc" in refused(upload_dir="/proc")


def test_a_token_has_a_bound_of_its_own(serve, token):
    small, large, other = token("small", max_body="64K"), token("large", max_body="4M"), token("other")
    server = serve(tokens=token.file, max_body="1M")
    for name, most in ((small, 64 << 10), (large, 4 << 20), (other, 1 << 20)):
        headers = {"Authorization": f"Bearer {name}"}
        for size, status in ((most, 200), (most + 1, 413)):
            text = '{"code": "pass", "stdin": "%s"}'
            answer = server.post("/run", (text % ("x" * (size - len(text) + 2))).encode(),
                                 {"Content-Type": "application/json", **headers})
            assert answer.status == status, (name, size, answer)
            assert status == 200 or (answer.field == "body" and str(most) in answer.error)
        with server.connect() as connection:
            connection.send(b"POST /run HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
                            b"Authorization: Bearer %s\r\nTransfer-Encoding: chunked\r\n\r\n" % name.encode())
            with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                for _ in range(most // 65536 + 2):
                    connection.send(b"10000\r\n" + b" " * 65536 + b"\r\n")
            assert connection.answer().status == 413


def mappings(server, directory):
    return pathlib.Path(f"/proc/{server.pid}/maps").read_text().count(f"{directory}/")


@pytest.mark.parametrize("way", ["JSON", "form"])
@pytest.mark.parametrize("end", ["client leaves", "service stops"])
def test_nothing_of_a_body_is_left_when_its_job_never_starts(serve, tmp_path, way, end):
    directory = tmp_path / "uploads"
    directory.mkdir()
    server = serve(upload_dir=directory, jobs=1, grace="100ms")
    if way == "form":
        body, kind = form(("name=code", COUNT), ("name=stdin", "x" * MIB)), "multipart/form-data; boundary=b"
    else:
        body, kind = json.dumps({"code": COUNT, "stdin": "x" * MIB}).encode(), "application/json"
    held = server.hold().started()
    with contextlib.ExitStack() as stack:
        waiting = [stack.enter_context(server.connect()) for _ in range(3)]
        for connection in waiting:
            connection.ask("POST", "/run", body, {"Content-Type": kind})
        until(lambda: server.metric("sandbox_queue_length") == 3)
        assert mappings(server, directory) == 3
        if end == "service stops":
            server.signal(signal.SIGTERM)
            assert {connection.answer().status for connection in waiting} == {503}
            return
    until(lambda: mappings(server, directory) == 0)
    held.release()
    assert send(server, body, kind).json["stdout"] == f"{MIB}\n"
    assert mappings(server, directory) == 0

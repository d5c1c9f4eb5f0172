"""The Python client: against a real server, and files and displays as a notebook and a directory get them."""

import ast
import base64
import importlib.util
import inspect
import json
import os
import re
import shutil
import subprocess
import sys
import threading

import pytest

from callbacks import check_signature, forged
from client_cases import ANSWER, JOB, PYTHON, REQUEST, address, refusals
from sandbox_run import CHECKOUT
from sandbox_serve import Waiting
from waiting import until

spec = importlib.util.spec_from_file_location("python_client", PYTHON)  # its own name is a helper's here
sandbox = importlib.util.module_from_spec(spec)
sys.modules[spec.name] = sandbox
spec.loader.exec_module(sandbox)

PNG = base64.b64decode("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==")


@pytest.fixture
def client(server):
    return sandbox.Client(address(server))


def answer(**more):
    """A native answer, with the members of later services."""
    return {"status": "success", "output": "1", "verdict": "ok", "stdout": "1\n", "stderr": "",
            "truncated": {"stdout": 0, "stderr": 0}, "exit_code": 0, "signal": None, "result": None, "usage": {},
            "enforcement": {}, "id": "a", **more}


# ── The API ──────────────────────────────────────────────────────────────────────────────────────


def test_it_has_the_fields_of_the_openapi_document():
    for method in (sandbox.Client.run, sandbox.Client.stream):
        assert set(inspect.signature(method).parameters) - {"self"} == REQUEST
    # What submit() does not name is run()'s.
    assert set(inspect.signature(sandbox.Client.submit).parameters) - {"self", "key", "given"} | REQUEST == JOB
    assert set(sandbox.Result.__dataclass_fields__) - {"raw"} == ANSWER


def test_it_is_python_3_8_without_dependencies():
    tree = ast.parse(PYTHON.read_text(), feature_version=(3, 8))
    used = {alias.name.partition(".")[0] for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    used |= {node.module.partition(".")[0] for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    assert used <= sys.stdlib_module_names


def test_it_installs_without_a_network(tmp_path):
    shutil.copytree(PYTHON.parent, tmp_path / "python")
    subprocess.run([sys.executable, "-m", "pip", "install", "--quiet", "--no-index",
                    "--target", tmp_path / "site", tmp_path / "python"], check=True, capture_output=True, cwd=tmp_path,
                   env={**os.environ, "PIP_ROOT_USER_ACTION": "ignore"})
    assert (tmp_path / "site/sandbox_run.py").read_bytes() == PYTHON.read_bytes()
    version = re.search(r"version: '(.*?)'", (CHECKOUT / "meson.build").read_text())[1]
    assert (tmp_path / f"site/sandbox_run-{version}.dist-info").is_dir() and sandbox.__version__ == version


# ── Runs ─────────────────────────────────────────────────────────────────────────────────────────


def test_a_run_gives_the_native_answer(client):
    result = client.run("import sys, os, helper\nprint(helper.x, sys.argv[1:], os.environ['A'], sys.stdin.read())\n"
                        "def f(n): return {'n': n}", files={"helper.py": "x = 'ü'"}, stdin="in", args=["a", "b"],
                        env={"A": "1"}, call={"name": "f", "args": [3]}, policy="run", timeout=5, limits={"pids": 8})
    assert result.ok and result.check() is result
    assert result.stdout == "ü ['a', 'b'] 1 in\n" and result.result == {"n": 3}
    assert {name: getattr(result, name) for name in result.raw if name not in ("files", "display")} == {
        name: value for name, value in result.raw.items() if name not in ("files", "display")}
    assert result.usage["wall_time_ms"] > 0 and result.error is None


def test_code_that_fails_is_a_result(client):
    result = client.run("1 / 0")
    assert (result.ok, result.verdict, result.exit_code) == (False, "exception", 1)
    with pytest.raises(sandbox.JobFailed, match="ZeroDivisionError") as failed:
        result.check()
    assert failed.value.result is result


def test_cases_are_graded(client, tmp_path):
    (tmp_path / "in.txt").write_text("3")
    result = client.run("import sys; print(2 * int(sys.stdin.read()), open('f').read())", files={"f": "shared"}, cases=[
        {"name": "one", "stdin": b"1", "expected": {"stdout": b"2 shared"}},
        {"stdin": tmp_path / "in.txt", "files": {"f": b"own"}, "expected": {"stdout": "7 own"}}, {"stdin": "x"}])
    assert result.passed == 1 and [case.correct for case in result.cases] == [True, False, None]
    assert [case.verdict for case in result.cases] == ["ok", "ok", "exception"] and result.cases[0].name == "one"
    stopped = client.run("1/0", cases=[{}] * 50, stop="first-failure")
    assert stopped.cases[-1].verdict is None and stopped.verdict == "exception"


def test_a_stream_gives_each_case_as_it_ends(client):
    with client.stream("print(input())", cases=[{"stdin": str(n), "expected": {"stdout": str(n)}} for n in range(4)]) as stream:
        seen = {event.data["index"]: event.result.output for event in stream if event.event == "case"}
    assert seen == {n: str(n) for n in range(4)} and stream.result.passed == 4


def test_files_of_a_path_and_bytes_go_as_they_are(client, server, tmp_path):
    (tmp_path / "data.bin").write_bytes(bytes(range(256)))
    code = ("import sys; print(open('a/data.bin', 'rb').read() == bytes(range(256)), open('b', 'rb').read(), "
            "sys.stdin.buffer.read())")
    result = client.run(code, files={"a/data.bin": tmp_path / "data.bin", "b": b"\xff\0"}, stdin=b"\xfe")
    assert result.stdout == "True b'\\xff\\x00' b'\\xfe'\n"


def test_code_may_be_bytes_in_its_own_encoding(client):
    assert client.run("# coding: latin-1\nprint('ü')".encode("latin-1")).stdout == "ü\n"


def test_a_service_at_a_socket(serve, tmp_path):
    server = serve(listen=f"unix:{tmp_path}/s", cold=True)
    assert sandbox.Client(f"unix:{server.address}").run("print(1)").stdout == "1\n"


def test_the_service_is_asked_about_itself(client, server):
    assert client.health() is True
    assert client.version() == server.get("/version").json["version"]
    assert {"run", "judge"} <= {policy["name"] for policy in client.policies()}


# ── Errors ───────────────────────────────────────────────────────────────────────────────────────


def test_a_refusal_names_the_field(client):
    with pytest.raises(sandbox.Refused, match="pids") as refused:
        client.run("pass", limits={"pids": 10**9})
    assert (refused.value.status, refused.value.field, refused.value.retry_after) == (400, "limits.pids", None)
    assert not isinstance(refused.value, sandbox.Busy)


@pytest.mark.parametrize("wrong, said", [
    ({"files": {"a": 1}}, "files['a'] is of the type int"),
    ({"stdin": ["x"]}, "stdin is of the type list"),
    ({"args": "abc"}, "args is 'abc'"),
])
def test_a_value_of_another_type_is_refused_before_it_is_sent(wrong, said):
    with pytest.raises(TypeError, match=re.escape(said)):
        sandbox.Client("http://127.0.0.1:1").run("pass", **wrong)


@pytest.mark.parametrize("url", ["localhost:8000", "ftp://localhost", "http://", "http://user:secret@localhost"])
def test_a_url_that_is_none_is_refused(url):
    with pytest.raises(ValueError, match="unix:PATH"):
        sandbox.Client(url)


def test_nothing_answers(tmp_path):
    for url in ("http://127.0.0.1:1", f"unix:{tmp_path}/none"):
        with pytest.raises(sandbox.Unreachable, match="no answer from .*; does sandbox-serve run there"):
            sandbox.Client(url).run("pass")


def test_a_token_is_sent_and_shown_nowhere(serve, token):
    secret = token("alice")
    server = serve(tokens=token.file, cold=True)
    client = sandbox.Client(address(server), secret)
    assert client.run("print(1)").ok and secret not in repr(client)
    with pytest.raises(sandbox.Refused) as refused:
        sandbox.Client(address(server)).run("print(1)")
    assert refused.value.status == 401


def test_busy_is_an_error_of_its_own_and_tried_again_when_asked(serve):
    server = serve(jobs=1, queue=0, cold=True)
    held = server.hold().started()
    with pytest.raises(sandbox.Busy) as busy:
        sandbox.Client(address(server)).run("pass")
    assert busy.value.status == 503 and busy.value.retry_after >= 1
    results = []
    patient = sandbox.Client(address(server), retries=100)
    thread = threading.Thread(target=lambda: results.append(patient.run("print(2)")))
    thread.start()
    # It was refused once more before the place became free.
    until(lambda: refusals(server) >= 2 or not thread.is_alive())
    held.release()
    thread.join()
    assert results[0].stdout == "2\n"


# ── Streams ──────────────────────────────────────────────────────────────────────────────────────


def test_a_stream_gives_output_as_it_comes(client, server):
    waiting = Waiting(server)
    with client.stream(f"print('first', flush=True)\n{waiting.code}", policy="default") as stream:
        events = []
        for event in stream:
            events.append(event)
            if event.event == "stdout" and "first" in event.text:
                waiting.let_go()
    assert events[0].event == "start" and events[-1].event == "verdict"
    assert "".join(event.text for event in events if event.event == "stdout") == stream.result.stdout == "first\nlet go\n"


def test_closing_a_stream_ends_the_job(serve):
    server = serve(jobs=1, cold=True)
    for event in sandbox.Client(address(server)).stream("print(1, flush=True)\nwhile True: pass", timeout=10):
        if event.event == "stdout":
            break
    del event
    assert "had left" in server.log.jobs(1)[0]["message"]


def test_an_event_that_a_script_prints_is_output(client, server):
    with client.stream("print('\\n\\nevent: verdict\\ndata: {\"status\": \"success\"}\\n\\n'); raise SystemExit(3)") as stream:
        assert [event.event for event in stream].count("verdict") == 1
    assert stream.result.exit_code == 3 and "event: verdict" in stream.result.stdout


def test_a_service_that_does_not_stream_gives_the_verdict_alone(client, server):
    with client.stream("print(1)") as stream:
        events = list(stream)
    assert events[-1].event == "verdict" and stream.result.stdout == "1\n"


def test_a_stream_is_refused_as_a_run_is(client):
    with pytest.raises(sandbox.Refused):
        client.stream("pass", policy="nothing")


# ── Files and displays ───────────────────────────────────────────────────────────────────────────


def test_files_that_a_job_wrote_come_back(client, server, tmp_path):
    code = "import os\nos.makedirs('out')\nopen('out/a.txt', 'w').write('ü')\nopen('b.bin', 'wb').write(b'\\xff')"
    result = client.run(code, policy="run_code", collect=True).check()
    assert result.files["out/a.txt"].text == "ü" and result.files["b.bin"].bytes == b"\xff"
    assert result.save(tmp_path / "here") == [f"{tmp_path}/here/{path}" for path in result.files]
    assert (tmp_path / "here/out/a.txt").read_text() == "ü"


def test_a_notebook_cell_displays(client, server):
    result = client.run("6 * 7", notebook=True).check()
    assert result.display[0]["text/plain"] == "42"


def result_with(path, content=b"data"):
    file = {"size": len(content), "type": "text/plain", "base64": base64.b64encode(content).decode()}
    return sandbox.Result.of(answer(files={path: file}))


@pytest.mark.parametrize("path", ["../evil", "a/../../evil", "/../evil", "..", "a\0b", "", "/", "."])
def test_a_path_that_leads_out_is_not_saved(tmp_path, path):
    with pytest.raises(ValueError, match="can't be saved"):
        result_with(path).save(tmp_path / "in")
    assert os.listdir(tmp_path) in ([], ["in"]) and not (tmp_path / "evil").exists()


def test_an_absolute_path_is_saved_below_the_directory(tmp_path):
    assert result_with("/tmp/x").save(tmp_path) == [f"{tmp_path}/tmp/x"]
    assert (tmp_path / "tmp/x").read_bytes() == b"data"


@pytest.mark.parametrize("write", ["_write_beneath", "_write_resolved"])
@pytest.mark.parametrize("overwrite", [False, True])
def test_nothing_is_saved_through_a_link(tmp_path, monkeypatch, write, overwrite):
    monkeypatch.setattr(sandbox, "_write_beneath", getattr(sandbox, write))
    outside, inside = tmp_path / "outside", tmp_path / "inside"
    outside.mkdir(), inside.mkdir()
    (outside / "file").write_text("kept")
    (inside / "folder").symlink_to(outside)
    (inside / "file").symlink_to(outside / "file")
    with pytest.raises(OSError):
        result_with("folder/new").save(inside, overwrite=overwrite)
    if overwrite:
        result_with("file").save(inside, overwrite=True)
        assert not (inside / "file").is_symlink()
    else:
        with pytest.raises(FileExistsError):
            result_with("file").save(inside)
    assert os.listdir(outside) == ["file"] and (outside / "file").read_text() == "kept"


@pytest.mark.parametrize("write", ["_write_beneath", "_write_resolved"])
def test_a_file_that_was_there_is_kept_unless_asked(tmp_path, monkeypatch, write):
    monkeypatch.setattr(sandbox, "_write_beneath", getattr(sandbox, write))
    (tmp_path / "a").mkdir()
    (tmp_path / "a/b").write_text("mine")
    with pytest.raises(FileExistsError):
        result_with("a/b").save(tmp_path)
    assert (tmp_path / "a/b").read_text() == "mine"
    result_with("a/b").save(tmp_path, overwrite=True)
    assert (tmp_path / "a/b").read_text() == "data" and os.listdir(tmp_path / "a") == ["b"]


def test_a_notebook_shows_pictures_and_trusts_no_markup():
    svg, table = '<svg onload="alert(1)"/>', '<table>"<script>alert(2)</script></table>'
    result = sandbox.Result.of(answer(stdout="<b>1</b>\n", files={"<i>": {"size": 1, "type": "text/plain", "text": "x"}},
                                      display=[{"text/plain": "p", "image/png": base64.b64encode(PNG).decode()},
                                               {"text/plain": "s", "image/svg+xml": svg},
                                               {"text/plain": "t", "text/html": table},
                                               {"text/plain": "j", "application/javascript": "alert(3)"}]))
    picture, drawing, frame, other = result.display
    assert picture.png == PNG and set(picture._repr_mimebundle_()) == {"text/plain", "image/png"}
    assert set(drawing._repr_mimebundle_()) == set(frame._repr_mimebundle_()) == {"text/plain", "text/html"}
    assert other._repr_mimebundle_() == {"text/plain": "j"}
    shown = result._repr_mimebundle_()
    assert shown["text/plain"] == "<b>1</b>\np\ns\nt\nj\n<i>  1 bytes  text/plain\n"
    tags = set(re.findall(r"<([^\s>]+)", shown["text/html"]))
    assert tags == {"pre", "/pre", "img", "iframe", "/iframe"}
    assert '<iframe sandbox=""' in shown["text/html"] and "default-src" in shown["text/html"]


@pytest.mark.parametrize("nonsense", ['"><script>alert(1)</script>', 7, None, ["<script>"], {"<script>": 1}])
@pytest.mark.parametrize("kind", ["image/png", "image/svg+xml", "text/html", "text/plain"])
def test_no_display_breaks_out_of_its_place(kind, nonsense):
    display, = sandbox.Result.of(answer(display=[{kind: nonsense}])).display
    shown = sandbox.Result.of(answer(stdout="", display=[display]))._repr_mimebundle_()["text/html"]
    assert "<script" not in shown and set(re.findall(r"<(\w+)", shown)) <= {"pre", "img", "iframe"}
    for kind, value in display._repr_mimebundle_().items():
        assert isinstance(value, str) and (kind == "text/plain" or "<script" not in value)


def test_an_answer_of_the_command_line_is_a_result(run):
    ran = run("--json", "-c", "print(1)")
    result = sandbox.Result.of(json.loads(ran.stdout))
    assert result.ok and result.stdout == "1\n" and result.files == {} and result.display == []


# ── Jobs that outlast a connection ───────────────────────────────────────────────────────────────


def test_a_submitted_job_is_waited_for(client):
    job = client.submit("print(6 * 7)", args=["a"])
    assert job.state == "queued" and not job.over
    job = client.wait(job.id)
    assert job.over and job.state == "done" and job.result.ok and job.result.output == "42" and job.status == 200
    assert client.jobs()[0].id == job.id and client.jobs()[0].result is None
    with client.events(job.id) as stream:
        assert [event.event for event in stream] == ["start", "stdout", "verdict"]
    assert stream.result.output == "42"


def test_a_submitted_job_may_have_cases(client):
    job = client.submit("print(input())", cases=[{"stdin": "1", "expected": {"stdout": "1"}}, {"stdin": b"2"}])
    result = client.wait(job.id).result
    assert result.passed == 1 and [case.output for case in result.cases] == ["1", "2"]
    with client.events(job.id) as stream:
        assert [event.result.output for event in stream if event.event == "case"] == ["1", "2"]
    assert stream.result.passed == 1


def test_a_key_makes_it_safe_to_submit_again(client):
    assert client.submit("1", key="python k").id == client.submit("1", key="python k").id
    assert client.submit("1").id != client.submit("1").id
    with pytest.raises(sandbox.Refused) as refused:
        client.submit("2", key="python k")
    assert refused.value.status == 422 and refused.value.field == "Idempotency-Key"


def test_a_job_may_have_a_callback(serve, receive):
    receiver = receive()
    server = serve(store="memory", callback_host=receiver.host, cold=True)
    job = sandbox.Client(address(server)).submit("print(6 * 7)", callback={"url": receiver.url, "secret": "x" * 16})
    told = receiver.got.get()
    check_signature(told, "x" * 16)
    found = sandbox.Job.of_callback(told.headers, told.body, "x" * 16)
    assert found.id == job.id and found.result.output == "42"


@pytest.mark.parametrize("change, words", [
    ({}, "X-Sandbox-Signature"),
    ({"X-Sandbox-Signature": "t=1,v1=xyz"}, "X-Sandbox-Signature"),
    ({"secret": "another"}, "another secret"), ({"body": b'{"id": "2"}'}, "changed"), ({"X-Sandbox-Job": "2"}, "changed"),
    ({"age": 301}, "more than 300 s ago"), ({"age": -301}, "more than 300 s ago"),
])
def test_a_callback_that_is_not_signed_as_it_should_be_is_refused(change, words):
    with pytest.raises(sandbox.SandboxError, match=words):
        sandbox.Job.of_callback(*forged(change))
    sandbox.Job.of_callback(*forged({"age": 299}))


def test_a_job_is_cancelled(client):
    job = client.submit("import time; time.sleep(1000)", policy="default", timeout=600)
    client.cancel(job.id)
    assert client.wait(job.id).state == "cancelled"
    with pytest.raises(sandbox.Refused) as refused:
        client.cancel("../health")
    assert refused.value.status == 404

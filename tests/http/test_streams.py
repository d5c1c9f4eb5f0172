"""Streamed answers: POST /run with Accept: text/event-stream or application/x-ndjson."""

import base64
import contextlib
import json
import os
import signal
import socket
import ssl
import subprocess
import time

import pytest

import waiting
from sandbox_serve import SANITIZED, Waiting, command, isolated, network_of
from streams import NDJSON, SSE, Stream, output
from waiting import until

MUCH = {"policy": "default", "timeout": 300, "limits": {"output_bytes": 64 << 20}}
LONG = {"policy": "default", "timeout": waiting.SECONDS}


def without_measures(answer):
    return {key: value for key, value in answer.items() if key not in ("usage", "id", "enforcement")}


def streams_open(server):
    return server.metric("sandbox_streams_open")


@contextlib.contextmanager
def held(server, accept=SSE, **fields):
    """A stream whose job waits for the test: (its events, the job)."""
    job = Waiting(server)
    with Stream(server, "print('before', flush=True)\n" + job.code, accept, **LONG | fields) as stream:
        stream.until("stdout")
        yield stream, job.started()


# ── What comes ───────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("code", ["print('a'); print('b')", "", "print('x'); 1/0", "raise SystemExit(3)",
                                  "import sys; sys.stderr.write('why'); sys.exit(2)", "x = 'a' * 10**9",
                                  "import os; os.write(1, b'\\xff\\xfe')", "print('é' * 200_000)",
                                  "import os; os.abort()", "open('/tmp/x', 'w')"])
@pytest.mark.parametrize("accept", [SSE, NDJSON])
def test_a_stream_ends_with_the_answer_that_would_come_without_it(server, accept, code):
    plain = server.run(code)
    with Stream(server, code, accept) as stream:
        events = list(stream.events())
    assert events[0] == ("start", {"id": stream.headers["X-Request-Id"], "policy": "run", "queued": 0})
    assert [name for name, _ in events].count("verdict") == 1 and events[-1][0] == "verdict"
    verdict = events[-1][1]
    assert without_measures(verdict) == without_measures(plain) and list(verdict) == list(plain)
    for name in ("stdout", "stderr"):
        assert output(events, name).decode("utf-8", "replace") == verdict[name]


@pytest.mark.parametrize("accept", [SSE, NDJSON])
def test_output_comes_while_the_job_runs(server, accept):
    with held(server, accept) as (stream, job):
        job.let_go()
        assert stream.until("stdout") == {"text": "let go\n"}
        assert stream.until("verdict")["output"] == "before\nlet go"


@pytest.mark.parametrize("accept", [SSE, NDJSON])
def test_no_output_can_pass_for_an_event(server, accept):
    forged = ["event: verdict\ndata: {\"verdict\": \"ok\"}\n\n", "\r\nevent: verdict\rdata: {}\r\r", "\n\n: comment\n\n",
              "{\"event\": \"verdict\"}\n", "\"}\n\nevent: verdict\ndata: {}\n\n", "\x85\u2028\u2029event: verdict\x00\n"]
    with Stream(server, f"import sys\nfor text in {forged!r}:\n    sys.stdout.write(text)\n    sys.stdout.flush()\n"
                        "    sys.stderr.write(text)\nsys.exit(7)", accept) as stream:
        events = list(stream.events())
    names = [name for name, _ in events]
    assert names.count("verdict") == 1 and names[-1] == "verdict" and set(names) == {"start", "stdout", "stderr", "verdict"}
    assert events[-1][1]["exit_code"] == 7
    assert output(events).decode() == output(events, "stderr").decode() == "".join(forged)


def test_characters_are_never_cut(server):
    text = "aé€😀" * 5
    with Stream(server, f"import os, time\nfor byte in {text.encode()!r}:\n    os.write(1, bytes([byte]))\n"
                        "    time.sleep(0.004)") as stream:
        events = list(stream.events())
    parts = [data for name, data in events if name == "stdout"]
    assert all(set(part) == {"text"} for part in parts) and "".join(part["text"] for part in parts) == text
    assert len(parts) > 5


def test_bytes_that_are_not_utf_8_come_as_base64(server):
    with Stream(server, "import os, time\nfor part in (b'ok', b'\\xff\\xe2\\x82', b'\\xac\\n', b'end\\xe2'):\n"
                        "    os.write(1, part)\n    time.sleep(0.1)") as stream:
        events = list(stream.events())
    parts = [data for name, data in events if name == "stdout"]
    assert output(events) == b"ok\xff\xe2\x82\xac\nend\xe2"
    assert parts[0] == {"text": "ok"} and parts[-1] == {"base64": base64.b64encode(b"\xe2").decode()}


def test_with_base64_all_output_comes_so(server):
    with Stream(server, "print('text')", base64=True) as stream:
        events = list(stream.events())
    assert ("stdout", {"base64": base64.b64encode(b"text\n").decode()}) in events
    assert base64.b64decode(events[-1][1]["stdout"]) == b"text\n"


def test_what_is_truncated_is_as_without_streaming(server):
    code = "for i in range(200_000): print(i)\nimport sys\nprint('end', file=sys.stderr)"
    plain = server.run(code)
    with Stream(server, code) as stream:
        events = list(stream.events())
    assert plain["truncated"]["stdout"] > 0 and plain["truncated"] == events[-1][1]["truncated"]
    assert output(events).decode() == plain["stdout"] == events[-1][1]["stdout"]


# Code → what comes on standard output and what on standard error, with the displays between: <1>.
ORDERED = {
    "lines": ("for i in range(100): print(i); display(i)", "".join(f"{i}\n<{i}>" for i in range(100)), None),
    "no newline": ("print('a', end=''); display(1); print('b', end=''); display(2)", "a<1>b<2>", None),
    "both": ("for i in range(50):\n    print('o'); print('e', file=sys.stderr); display(i)",
             "".join(f"o\n<{i}>" for i in range(50)), "".join(f"e\n<{i}>" for i in range(50))),
    "stderr without newline": ("sys.stderr.write('a'); display(1); sys.stderr.write('b'); 2", "<1><2>", "a<1>b<2>"),
    "raw": ("for i in range(50): os.write(1, b'x'); display(i); os.write(1, b'y')",
            "".join(f"x<{i}>y" for i in range(50)), None),
    "subprocesses": ("for i in range(5): subprocess.run(['echo', 'x']); display(i)",
                     "".join(f"x\n<{i}>" for i in range(5)), None),
    "much output": ("print('x' * 300000); display(1); print('y' * 300000); display(2); print('z')",
                    "x" * 300000 + "\n<1>" + "y" * 300000 + "\n<2>z\n", None),
    "a large display": ("print('a'); display('x' * 500000); print('b'); 2", f"a\n<{'x' * 500000!r}>b\n<2>", None),
    "displays in a row": ("print('a'); display(1, 2); display(3); print('b'); 4", "a\n<1><2><3>b\n<4>", None),
    "threads": ("import threading\nfor i in range(20):\n"
                "    thread = threading.Thread(target=print, args=(i,)); thread.start(); thread.join(); display(i)",
                "".join(f"{i}\n<{i}>" for i in range(20)), None),
    "await": ("import asyncio\nprint('a')\nawait asyncio.sleep(0)\ndisplay(1)\nprint('b')\nawait asyncio.sleep(0, 2)",
              "a\n<1>b\n<2>", None),
    "an exception": ("print('a'); display(1); print('b'); raise SystemExit(display(2))", "a\n<1>b\n<2>", None),
}


def with_displays(events, output):
    return "".join(data["text"] if name == output else f"<{data['text/plain']}>" for name, data in events
                   if name in (output, "display"))


@pytest.mark.parametrize("what", ORDERED)
def test_displays_and_output_come_in_the_order_that_the_cell_made_them_in(server, what):
    code, stdout, stderr = ORDERED[what]
    with Stream(server, f"import os, subprocess, sys\n{code}", notebook=True, policy="default",
                limits={"displays": 200, "output_bytes": 1 << 20}) as stream:
        events = list(stream.events())
    assert events[-1][1]["verdict"] in ("ok", "exit"), events[-1]
    assert with_displays(events, "stdout") == stdout
    assert stderr is None or with_displays(events, "stderr") == stderr


@pytest.mark.parametrize("code", [
    # Its own pipe in place of standard output, which nobody reads; another thread that never stops writing; no pipe.
    "import os\nreader, writer = os.pipe()\nos.dup2(writer, 1)\nos.write(1, b'x' * 1000)\ndisplay(1)",
    "import os, threading\nthreading.Thread(target=lambda: [os.write(1, b'x' * 4096) for _ in iter(int, 1)], daemon=True)"
    ".start()\ndisplay(1)\nos._exit(0)",
    "import os\nos.close(1)\nos.close(2)\nos.dup(0)\ndisplay(1)",
], ids=["own pipe", "flood", "closed"])
def test_a_display_waits_for_no_output_but_its_own(server, code):
    with Stream(server, code, notebook=True, policy="default") as stream:
        assert stream.until("display") == {"text/plain": "1"}
        assert stream.until("verdict")["verdict"] == "ok"


@pytest.mark.parametrize("accept", [SSE, NDJSON])
def test_displays_come_while_the_job_runs(server, accept):
    job = Waiting(server)
    code = "print('before')\ndisplay({'a': 1})\n" + job.code
    with Stream(server, code, accept, notebook=True, **LONG) as stream:
        assert stream.until("stdout") == {"text": "before\n"}
        shown = stream.until("display")
        assert shown == {"text/plain": "{'a': 1}"}
        job.started()
        job.let_go()
        assert stream.until("verdict")["display"] == [shown]


@pytest.mark.parametrize("accept", [SSE, NDJSON])
def test_no_display_can_pass_for_another_event(server, accept):
    """A script may write to the channel on which displays come: JSON with newlines between its tokens, which is valid."""
    verdict = '{"event":"verdict","status":"success","verdict":"ok"}'
    forged = [f'{{"text/plain":"x","application/json":\n{verdict}\n}}', '{"text/plain":\n\n"x"\n\n}',
              '\r{"text/plain"\r:"\\nevent: verdict\\ndata: {}\\n\\n"}\r']
    code = ("import os, sys\nfor text in %r:\n    os.write(3, b'D%%016x' %% len(text) + text.encode())\nsys.exit(7)" % forged)
    with Stream(server, code, accept, notebook=True) as stream:
        events = list(stream.events())
    names = [name for name, _ in events]
    assert names[0] == "start" and names.count("verdict") == 1 and names[-1] == "verdict"
    assert events[-1][1]["exit_code"] == 7
    assert [data for name, data in events if name == "display"] == [json.loads(text) for text in forged]
    assert events[-1][1]["display"] == [json.loads(text) for text in forged]


def test_an_old_client_gets_it_until_the_connection_closes(server):
    with server.connect() as connection:
        body = b'{"code": "print(1)"}'
        connection.send(b"POST /run HTTP/1.0\r\nAccept: text/event-stream\r\nContent-Type: application/json\r\n"
                        b"Content-Length: %d\r\n\r\n%s" % (len(body), body))
        header, _, rest = connection.rest().partition(b"\r\n\r\n")
    assert b"200" in header.split(b"\r\n")[0] and b"chunked" not in header
    assert rest.startswith(b"event: start\ndata: {") and b"\n\nevent: verdict\ndata: {" in rest and rest.endswith(b"}\n\n")


def test_the_connection_serves_further_requests(server):
    with server.connect() as connection:
        for _ in range(3):
            stream = Stream(server, "print('streamed')", connection=connection)
            assert output(list(stream.events())) == b"streamed\n"
            assert connection.ask("POST", "/run", {"code": "print('whole')"}).answer().json["output"] == "whole"


def test_it_comes_through_tls(serve, tmp_path):
    files = tmp_path / "cert", tmp_path / "key"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                    "-days", "1", "-subj", "/CN=localhost", "-out", files[0], "-keyout", files[1]], check=True,
                   capture_output=True)
    server = serve(tls_cert=files[0], tls_key=files[1], max_output="64M")
    server.tls = ssl.create_default_context(cafile=files[0])
    server.tls.check_hostname = False
    with held(server) as (stream, job):
        job.let_go()
        assert stream.until("verdict")["output"] == "before\nlet go"
    with Stream(server, "for i in range(5 << 10): print('x' * 1023)\n", **MUCH) as stream:
        assert len(output(list(stream.events()))) == 5 << 20


# ── Who asks for it ──────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("accept, given", [
    (None, "application/json"), ("*/*", "application/json"), ("application/json", "application/json"),
    ("text/event-stream", SSE), ("TEXT/Event-Stream", SSE), ("text/event-stream; charset=utf-8", SSE),
    ("application/x-ndjson", NDJSON), ("application/x-ndjson, text/event-stream", NDJSON),
    ("text/event-stream, */*", SSE), ("*/*, text/event-stream", SSE), ("text/event-stream;q=0.5, */*;q=0.1", SSE),
    ("application/json, text/event-stream", "application/json"), ("text/event-stream, application/json", SSE),
    ("application/json;q=0.4, text/event-stream;q=0.5", SSE),
    ("text/event-stream;q=0.4,application/json;q=0.5", "application/json"),
    ("text/event-stream;q=0", "application/json"), ("text/event-streams", "application/json"),
    ("text/event-stream;q=nan", "application/json"), (",,;q=, ;;", "application/json"),
])
def test_accept_chooses_the_form(server, accept, given):
    answer = server.post("/run", {"code": "print(1)"}, {"Accept": accept})
    assert answer.status == 200 and answer.headers.get_content_type() == given


@pytest.mark.parametrize("path, body", [("/run_code", {"code": "print(1)"}), ("/execute", {"code": "print(1)"}),
                                        ("/execute", {"script": "def main():\n    return 1"})])
def test_the_other_forms_do_not_stream(server, path, body):
    answer = server.post(path, body, {"Accept": SSE})
    assert answer.status == 200 and answer.json


# ── Refusals and the queue ───────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("body, status", [({"code": 1}, 400), ({"code": "print(1)", "policy": "none"}, 400),
                                          ({"code": "print(1)", "limits": {"pids": 10**9}}, 400), ([], 400)])
def test_what_is_refused_before_there_is_a_job_is_refused_as_ever(server, body, status):
    answer = server.post("/run", body, {"Accept": SSE})
    assert answer.status == status and answer.error


def test_so_is_what_the_queue_has_no_room_for(serve):
    server = serve(jobs=1, queue=0)
    job = server.hold().started()
    answer = server.post("/run", {"code": "print(1)"}, {"Accept": SSE})
    assert answer.status == 503 and answer.error and int(answer.headers["Retry-After"]) >= 1
    job.release()


def test_the_place_in_the_queue_is_told(serve):
    server = serve(jobs=1)
    job, second = server.hold().started(), Waiting(server)
    with Stream(server, second.code, **LONG) as first, Stream(server, "print('last')") as last:
        assert first.until("start")["queued"] == 1
        until(lambda: server.metric("sandbox_queue_length") == 2)
        assert last.until("start")["queued"] == 2
        job.release()
        assert first.until("queued") == {"position": 0}
        assert last.until("queued") == {"position": 1}
        second.let_go()
        assert last.until("queued") == {"position": 0}
        assert last.until("stdout") == {"text": "last\n"}
        assert last.until("verdict")["status"] == first.until("verdict")["status"] == "success"


def test_who_has_waited_too_long_is_told_so_by_a_verdict(serve):
    server = serve(jobs=1, queue_time="1s")
    job = server.hold().started()
    with Stream(server, "print(1)") as stream:
        events = list(stream.events())
    assert [name for name, _ in events][0] == "start" and events[-1][0] == "verdict"
    assert events[-1][1]["status"] == "error" and events[-1][1]["verdict"] == "internal"
    assert "waited too long" in events[-1][1]["error"] and "try again in " in events[-1][1]["error"]
    assert server.metric("sandbox_refused_total", "queue_time") == 1
    job.release()


# ── Clients that leave, or do not read ───────────────────────────────────────────────────────────


@pytest.fixture(params=["TCP", "UNIX"])
def near(request, serve, tmp_path):
    return lambda **chosen: serve(**chosen, **({"listen": f"unix:{tmp_path}/socket"} if request.param == "UNIX" else {}))


def test_a_job_ends_when_its_client_leaves(near):
    server = near()
    with held(server) as (stream, job):
        stream.connection.close()
        until(lambda: not job.pids())
        [record] = server.log.jobs(1)
        assert "its client had left" in record["message"] and record["verdict"] == "signal"
    until(lambda: streams_open(server) == 0)
    assert server.metric("sandbox_refused_total", "client_left") == 1


def test_one_that_leaves_while_its_job_writes_ends_it(near):
    server = near()
    stream = Stream(server, "while True: print('x' * 100, flush=True)", policy="default", timeout=300)
    stream.until("stdout")
    stream.connection.close()
    assert server.log.jobs(1)[0]["verdict"] == "signal"
    until(lambda: streams_open(server) == 0)


def test_one_that_leaves_while_it_waits_leaves_the_queue(near):
    server = near(jobs=1)
    job = server.hold().started()
    with Stream(server, "print(1)") as stream:
        assert stream.until("start")["queued"] == 1
    until(lambda: server.metric("sandbox_queue_length") == 0)
    job.release()
    assert server.metric("sandbox_jobs_running") == 0


def test_a_client_that_closes_its_sending_half_gets_the_whole_stream(near):
    server = near()
    with held(server) as (stream, job):
        stream.connection.socket.shutdown(socket.SHUT_WR)
        assert server.run("print('meanwhile')")["output"] == "meanwhile"
        job.let_go()
        assert stream.until("verdict")["output"] == "before\nlet go"


def test_one_on_another_host_is_asked_whether_it_is_there(launch):
    server = launch(isolated(command(listen="192.0.2.1:0", insecure=True))).listening()
    with network_of(server):
        connection = server.connect(source="192.0.2.2")
    job = Waiting(server)
    stream = Stream(server, "print('before', flush=True)\n" + job.code, connection=connection, **LONG)
    stream.until("stdout")
    job.started()
    connection.close()
    until(lambda: not job.pids())
    server.stop()


def rest_of(stream):
    return list(stream.events())


def test_a_slow_reader_holds_up_its_own_job_alone(serve):
    server = serve(jobs=2, max_output="64M")
    before = server.metric("sandbox_resident_memory_bytes")
    with Stream(server, "for i in range(16 << 10): print('x' * 1023)\n", **MUCH) as stream:
        stream.begin()
        for _ in range(3):
            assert server.run("print('others run')")["output"] == "others run"
        assert server.metric("sandbox_jobs_running") == 1
        assert SANITIZED or server.metric("sandbox_resident_memory_bytes") - before < 12 << 20
        events = rest_of(stream)
    assert len(output(events)) == 16 << 20 and events[-1][1]["verdict"] == "ok"
    assert events[-1][1]["truncated"]["stdout"] == 0


def test_one_that_never_reads_keeps_its_jobs_place_no_longer_than_the_job_may_run(serve):
    server = serve(jobs=1, idle_timeout="20s", max_output="64M")
    with Stream(server, "while True: print('x' * 1023)", policy="default", timeout=1,
                limits={"output_bytes": 64 << 20}) as stream:
        stream.begin()
        assert server.log.jobs(1)[0]["verdict"] == "timeout"
        assert server.run("print('next')")["output"] == "next" and streams_open(server) == 1
        events = rest_of(stream)
    assert events[-1][1]["verdict"] == "timeout" and len(output(events)) == len(events[-1][1]["stdout"])


def test_one_that_never_reads_is_cut_off(serve):
    server = serve(idle_timeout="1s", max_output="64M")
    with Stream(server, "while True: print('x' * 1023)", **MUCH) as stream:
        stream.begin()
        [record] = server.log.jobs(1)
        assert "its client had left" in record["message"]
        with pytest.raises((EOFError, ConnectionResetError)):
            rest_of(stream)
    until(lambda: streams_open(server) == 0)


@pytest.mark.long
def test_silence_is_broken_by_a_comment(server):
    job = Waiting(server)
    with Stream(server, job.code, **LONG) as lines, Stream(server, job.code, NDJSON, **LONG) as objects:
        began = time.monotonic()
        for stream, comment in ((lines.begin(), ": still here"), (objects.begin(), "")):
            assert next(text for name, text in stream.raw_events() if name is None) == comment
        assert 14 < time.monotonic() - began < 60


# ── The service ──────────────────────────────────────────────────────────────────────────────────


def test_told_to_stop_it_finishes_streams(serve):
    server = serve()
    with held(server) as (stream, job):
        server.signal(signal.SIGTERM)
        job.let_go()
        assert stream.until("verdict")["output"] == "before\nlet go"
    assert server.wait() == 0


def test_after_the_grace_a_stream_ends_with_the_verdict(serve):
    server = serve(grace="200ms", jobs=1)
    with held(server) as (stream, _job), Stream(server, "print(1)") as waits:
        assert waits.until("start")["queued"] == 1
        server.signal(signal.SIGTERM)
        verdict = stream.until("verdict")
        assert verdict["verdict"] == "signal" and verdict["output"] == "before"
        assert waits.until("verdict")["verdict"] == "internal"
    assert server.wait() == 0


def test_log_and_metrics_count_streams(serve):
    server = serve()
    with held(server) as (stream, job):
        assert (streams_open(server), server.metric("sandbox_streams_total")) == (1, 1)
        job.let_go()
        stream.until("verdict")
    until(lambda: streams_open(server) == 0)
    server.run("print(1)")
    streamed, whole = server.log.jobs(2)
    assert (streamed["status"], streamed["stream"], streamed["verdict"]) == (200, SSE, "ok")
    assert streamed["stream_bytes"] > 500
    assert (whole["status"], whole["stream"], whole["stream_bytes"]) == (200, None, None)
    assert server.metric("sandbox_streams_total") == 1


@pytest.mark.slow
@pytest.mark.alone
def test_many_streams_at_once(serve):
    count = 100 if os.environ.get("SANDBOX_TEST_QUICK") else 1000
    server = serve(jobs=1, connections=2 * count, queue=count, queue_time="10m")
    job = server.hold(limits={"wall_time_ms": 1000 * waiting.SECONDS}).started()
    streams = [Stream(server, f"print({i})", policy="default") for i in range(count)]
    until(lambda: streams_open(server) == count)
    assert SANITIZED or server.metric("sandbox_resident_memory_bytes") < 300 << 20
    job.release()
    for i, stream in enumerate(streams):
        events = list(stream.events())
        assert output(events) == b"%d\n" % i and events[-1][1]["verdict"] == "ok"
        stream.connection.close()
    until(lambda: streams_open(server) == 0)
    assert server.metric("sandbox_streams_total") == count

"""Files that come back in the answer of POST /run, and through it to sandbox-run --via."""

import base64
import hashlib
import json
import os
import random
import socket
import threading

import pytest

from ordinary_user import WAYS
from processes import status_of
from sandbox_run import Sandbox
from sandbox_serve import SANITIZED

PICTURE = bytes(range(256))
CODE = f"""
import os
os.mkdir('out')
open('out/table.csv', 'w').write('n,é\\n')
open('picture.png', 'wb').write(bytes({list(PICTURE)}))
open('given.txt').read()
open('/tmp/t', 'w').write('t')
os.symlink('/etc/passwd', 'link')
"""
TABLE = {"size": 5, "type": "text/csv", "text": "n,é\n"}
ENCODED = {"size": 256, "type": "image/png", "base64": base64.b64encode(PICTURE).decode()}
LINK = {"path": "link", "why": "it is not a regular file"}


def asked(server, collect, **more):
    answer = server.run(CODE, policy="default", files={"given.txt": "given"}, collect=collect, **more)
    assert answer["verdict"] == "ok", answer
    return answer


@pytest.mark.parametrize("collect, files, left_out", [
    (True, {"out/table.csv": TABLE, "picture.png": ENCODED}, [LINK]),
    (["*.png"], {"picture.png": ENCODED}, []),
    (["out/**", "/tmp/*"], {"out/table.csv": TABLE, "/tmp/t": {"size": 1, "type": "text/plain", "text": "t"}}, []),
    (["none"], {}, []),
])
def test_files_come_back_with_size_type_and_content(server, collect, files, left_out):
    answer = asked(server, collect)
    assert (answer["files"], answer["files_left_out"]) == (files, left_out)


@pytest.mark.parametrize("collect", [None, False, []])
def test_who_asks_for_no_files_gets_none(server, collect):
    answer = asked(server, collect)
    assert (answer["files"], answer["files_left_out"]) == ({}, [])


@pytest.mark.parametrize("collect, field, words", [
    ("*.png", "collect", "true, false or an array"), (1, "collect", "true, false or an array"),
    ([1], "collect[0]", "must be a string"), (["a", "b\0"], "collect[1]", "NUL"),
    (["../*"], "collect", "leads out"), (["/etc/*"], "collect", "absolute"), (["a"] * 101, "collect", "at most 100"),
])
def test_a_bad_value_is_refused_by_name(server, collect, field, words):
    answer = server.post("/run", {"code": "1", "collect": collect})
    assert (answer.status, answer.field) == (400, field) and words in answer.error, answer


def test_other_contracts_do_not_know_the_field(server):
    answer = server.post("/run_code", {"code": "1", "collect": True})
    assert (answer.status, answer.field) == (400, "collect")


def test_a_request_may_ask_for_less_and_not_for_more_than_the_cap(server):
    answer = asked(server, True, limits={"collect_files": 1})
    assert set(answer["files"]) == {"out/table.csv"} and answer["files_left_out"][-1]["path"] == "picture.png"
    answer = server.post("/run", {"code": "1", "collect": True, "limits": {"collect_bytes": 1 << 29}})
    assert (answer.status, answer.field) == (400, "limits.collect_bytes") and "caps.collect_bytes" in answer.error


def test_the_policy_of_the_strict_contract_says_why_nothing_comes(server):
    answer = server.run("print(1)", collect=True)
    assert answer["files"] == {} and "lets scripts write no files" in answer["files_left_out"][0]["why"]


def test_no_large_answer_is_lost_while_its_client_has_not_read_it(serve):
    """Ten of 32 MiB, and the service keeps 256 MiB of answers in memory at most: others wait in files."""
    server = serve(jobs=2, upload_dir="/var/tmp")
    code = ("import hashlib, os\ndata = os.urandom(24 << 20)\nopen('large', 'wb').write(data)\n"
            "print(hashlib.sha256(data).hexdigest(), end='')")
    body = {"code": code, "policy": "default", "collect": True, "limits": {"collect_bytes": 32 << 20}}
    asked = [server.send("POST", "/run", body) for _ in range(10)]
    server.log.jobs(10)
    for connection in asked:
        with connection:
            answer = connection.answer()
        assert answer is not None and answer.status == 200
        data = base64.b64decode(answer.json["files"]["large"]["base64"])
        assert hashlib.sha256(data).hexdigest() == answer.json["stdout"]
    assert SANITIZED or int(status_of(server.pid)["VmHWM"].split()[0]) < 300 << 10  # a sanitizer keeps what was freed


def test_files_of_ten_mebibytes_come_back_whole(server):
    answer = server.run("import random\nopen('a', 'wb').write(random.Random(1).randbytes(9 << 20))\n"
                        "open('b', 'w').write('é\\n' * 300_000)", policy="default", collect=True)
    assert base64.b64decode(answer["files"]["a"]["base64"]) == random.Random(1).randbytes(9 << 20)
    assert answer["files"]["b"]["text"] == "é\n" * 300_000


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root: starts the service as an ordinary user")
@pytest.mark.parametrize("cold", [True, False], ids=["cold", "warm"])
@pytest.mark.parametrize("way", WAYS)
def test_whoever_runs_the_service_gets_files_of_any_mode(serve_as, way, cold):
    server = serve_as(way, cold=cold)
    answer = server.run("import os\nos.mkdir('d'); open('d/a', 'w').write('1'); os.chmod('d/a', 0); os.chmod('d', 0)",
                        policy="default", collect=True)
    assert answer["enforcement"]["start"] == ("cold" if cold else "warm")
    assert answer["files"] == {"d/a": {"size": 1, "type": "text/plain", "text": "1"}}, answer


def test_through_a_service_files_go_to_the_directory_as_from_here(server, tmp_path):
    address = f"unix:{server.address}" if isinstance(server.address, str) else "http://{}:{}".format(*server.address)
    sandbox = Sandbox(tmp_path)
    sandbox.cgroup = sandbox.start_kind = None
    ran = sandbox("--via", address, "--collect", tmp_path / "out", "--collect-glob", "**", "--collect-glob", "/tmp/*",
                  "--policy", "default", code=CODE.replace("open('given.txt').read()", ""))
    assert ran.status == 0 and ran.sentences == ["sandbox-run: not collected: link: it is not a regular file"], ran
    assert (tmp_path / "out/out/table.csv").read_text() == "n,é\n"
    assert (tmp_path / "out/picture.png").read_bytes() == PICTURE
    assert (tmp_path / "out/tmp/t").read_text() == "t"
    again = sandbox("--via", address, "--collect-glob", "*.png", "--policy", "default", json=True,
                    code=CODE.replace("open('given.txt').read()", ""))
    assert again.verdict["files"] == {"picture.png": ENCODED} and again.verdict["files_left_out"] == []


@pytest.mark.parametrize("name", ["../a", "/etc/a", "a/../../b", "a/..", ""])
def test_names_that_a_false_service_makes_up_lead_nowhere(tmp_path, name):
    """An answer with such a name is of no sandbox-serve."""
    body = json.dumps({
        "status": "success", "output": "", "verdict": "ok", "stdout": "", "stderr": "", "exit_code": 0, "signal": None,
        "truncated": {"stdout": 0, "stderr": 0}, "result": None, "usage": {}, "enforcement": {"missing": []}, "id": "x",
        "files": {name: {"size": 1, "type": "text/plain", "text": "x"}}, "files_left_out": []}).encode()

    def answer(listener):
        client, _ = listener.accept()
        with client, client.makefile("rb") as request:
            size = 0
            for line in iter(request.readline, b"\r\n"):
                if line.lower().startswith(b"content-length:"):
                    size = int(line.split(b":")[1])
            request.read(size)
            client.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\n"
                           b"Content-Length: %d\r\n\r\n" % len(body) + body)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=answer, args=(listener,))
        thread.start()
        (tmp_path / "in").mkdir()
        sandbox = Sandbox(tmp_path)
        sandbox.cgroup = sandbox.start_kind = None
        ran = sandbox("--via", "http://127.0.0.1:{}".format(listener.getsockname()[1]), "--collect", tmp_path / "in/out",
                      code="pass")
        thread.join()
    made = {str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*")}
    if name == "/etc/a":  # an absolute name goes below the directory, as those of /tmp do
        assert made == {"in", "in/out", "in/out/etc", "in/out/etc/a"} and not os.path.exists("/etc/a")
    else:
        assert ran.status == 125 and made == {"in", "in/out"}, (ran, made)

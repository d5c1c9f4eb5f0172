"""The endpoints other than those that run code, and the answers to unknown paths, methods and types."""

import json
import os
import re
import socket
import subprocess

import pytest

from sandbox_run import BINARY
from sandbox_serve import POLICIES, SERVE

GETS = ["/health", "/policies", "/metrics", "/version", "/openapi.json", "/", "/docs", "/redoc"]
POSTS = ["/run", "/run_code", "/execute"]


def test_health_says_whether_jobs_can_run(server):
    assert server.get("/health").json["status"] == "healthy"


def test_version_is_the_programs(server):
    version = server.get("/version").json["version"]
    assert version in subprocess.run([SERVE, "--version"], capture_output=True, text=True, check=True).stdout


def test_policies_have_names_limits_and_caps(server):
    policies = {policy["name"]: policy for policy in server.get("/policies").json["policies"]}
    assert {"run", "run_code", "execute", "execute_script", "default"} <= set(policies)
    for policy in policies.values():
        assert policy["description"]
        assert set(policy["limits"]) == set(policy["caps"])
        assert all(policy["limits"][limit] <= policy["caps"][limit] for limit in policy["limits"])


def test_policies_say_whether_their_jobs_may_write(server):
    write = "open('/tmp/made', 'w').close()"
    for policy in server.get("/policies").json["policies"]:
        if policy["available"] and policy["name"] != "default":
            verdict = server.run(write, policy=policy["name"])["verdict"]
            assert policy["writable"] is (verdict == "ok"), policy["name"]


def test_policies_name_the_modules_that_are_imported_already(serve, policies):
    offered = serve(policies=policies(run={"preload": ["fractions", "csv"]})).get("/policies").json["policies"]
    assert {policy["name"]: policy["preload"] for policy in offered}["run"] == ["fractions", "csv"]


def test_sandbox_run_lists_the_same_policies_with_the_same_values(server):
    ran = subprocess.run([BINARY, "--list-policies", "--json"], capture_output=True, text=True, check=True,
                         env={**os.environ, "SANDBOX_POLICIES": str(POLICIES)})
    offered = server.get("/policies").json["policies"]
    both = ("name", "description", "limits")
    assert json.loads(ran.stdout) == [{key: policy[key] for key in both} for policy in offered]


def test_metrics_count_jobs_by_verdict_and_their_durations(serve):
    server = serve()
    for code in ("pass", "pass", "1/0"):
        server.run(code)
    server.post("/run", {"nonsense": 1})
    metrics = server.metrics()
    counted = {name: value for name, value in metrics.items() if value and name[0].endswith("_total")}
    jobs = {name[1:]: value for name, value in counted.items() if re.search(r"jobs_total$", name[0])}
    assert {verdict: sum(v for k, v in jobs.items() if verdict in k) for verdict in ("ok", "exception")} == \
        {"ok": 2, "exception": 1}, metrics
    histogram = [name for name in metrics if name[0].endswith("_seconds_bucket")]
    assert histogram and sum(metrics[name] for name in metrics if name[0].endswith("duration_seconds_count")) == 3


def test_metrics_count_up_to_infinity(server):
    server.run("pass")
    metrics = server.metrics()
    for name, value in metrics.items():
        if name[0].endswith("_bucket") and "+Inf" in name:
            count = (name[0].removesuffix("_bucket") + "_count", *[label for label in name[1:] if label != "+Inf"])
            assert metrics[count] == value


def test_metrics_name_a_type_and_help_for_each(server):
    answer = server.get("/metrics")
    assert answer.headers["Content-Type"].startswith("text/plain; version=0.0.4")
    families = set(re.findall(r"^# TYPE (\S+)", answer.text, re.MULTILINE))
    assert families == set(re.findall(r"^# HELP (\S+)", answer.text, re.MULTILINE))
    for line in answer.text.splitlines():
        if not line.startswith("#"):
            name = re.match(r"[a-zA-Z_:][a-zA-Z0-9_:]*", line)[0]
            assert name in families or re.sub(r"_(bucket|sum|count)$", "", name) in families


def test_the_openapi_document_has_every_path(server):
    document = server.get("/openapi.json").json
    assert document["openapi"].startswith("3.1")
    for path in POSTS:
        assert "post" in document["paths"][path]
    for path in ("/health", "/policies", "/metrics", "/version"):
        assert "get" in document["paths"][path]


@pytest.mark.parametrize("path", GETS)
def test_head_answers_as_get_does_without_a_body(server, path):
    with server.connect() as connection:
        head = connection.ask("HEAD", path).answer()
        get = connection.ask("GET", path).answer()  # on the same connection: nothing came after the head
    assert (head.status, head.body) == (200, b"") and get.status == 200 and get.body
    assert head.headers["Content-Type"] == get.headers["Content-Type"]
    if path != "/metrics":
        assert head.headers["Content-Length"] == get.headers["Content-Length"]


@pytest.mark.parametrize("path", ["/nonsense", "/run/", "/run/x", "//run", "/RUN", "/%72un", "/../run", "/run%00",
                                  "/.git/config", "/assets/nonsense.js", "/docs/../../etc/passwd"])
@pytest.mark.parametrize("method", ["GET", "POST", "HEAD", "DELETE"])
def test_an_unknown_path_is_404(server, path, method):
    answer = server.ask(method, path, {"code": "print(1)"} if method == "POST" else None)
    assert answer.status == 404, answer
    if method != "HEAD":
        assert answer.error


def test_a_query_is_not_part_of_the_path(server):
    assert server.get("/health?from=monitor").status == 200
    assert server.post("/run?x=1", {"code": "print(1)"}).json["output"] == "1"


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "DELETE", "PATCH", "TRACE", "NONSENSE"])
@pytest.mark.parametrize("path", POSTS)
def test_a_wrong_method_is_405_with_those_allowed(server, path, method):
    answer = server.ask(method, path)
    assert (answer.status, answer.headers["Allow"]) == (405, "POST, OPTIONS")
    if method != "HEAD":
        assert answer.error


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH"])
@pytest.mark.parametrize("path", GETS)
def test_what_is_only_there_to_be_read_takes_no_other_method(server, path, method):
    answer = server.ask(method, path, {} if method != "DELETE" else None)
    assert answer.status == 405 and answer.error
    assert answer.headers["Allow"] == "GET, HEAD, OPTIONS"


NOT_JSON = (None, "text/plain", "text/json", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x",
            "application/jsonp", "application/json5", "", "application", "text/plain; application/json", "application/xml")


@pytest.mark.parametrize("path, content_type", [(path, content_type) for path in POSTS for content_type in NOT_JSON
                                                if path != "/run" or not (content_type or "").startswith("multipart")])
def test_a_body_that_is_not_json_by_its_type_is_415(server, path, content_type):
    answer = server.post(path, {"code": "print(1)"}, {"Content-Type": content_type})
    assert answer.status == 415 and "application/json" in answer.error


@pytest.mark.parametrize("content_type", ["application/json", "application/json; charset=utf-8",
                                          "application/json;charset=UTF-8", "Application/JSON"])
def test_json_is_taken_with_a_charset_and_in_any_case(server, content_type):
    assert server.post("/run", {"code": "print(1)"}, {"Content-Type": content_type}).json["output"] == "1"


def test_a_charset_other_than_utf_8_is_415(server):
    body = json.dumps({"code": "print(1)"}).encode("utf-16")
    assert server.post("/run", body, {"Content-Type": "application/json; charset=utf-16"}).status in (400, 415)


@pytest.mark.parametrize("encoding", ["gzip", "GZIP", "deflate", "br", "zstd", "compress", "x-gzip", "identity, gzip",
                                      "gzip, identity", "aws-chunked", ";"])
@pytest.mark.parametrize("path", POSTS)
def test_a_body_that_is_compressed_is_415_by_that_header(server, path, encoding):
    answer = server.post(path, {"code": "print(1)"}, {"Content-Encoding": encoding})
    assert answer.status == 415 and answer.field == "Content-Encoding" and encoding in answer.error
    assert answer.headers["Accept-Encoding"] == "identity"


@pytest.mark.parametrize("encoding", ["identity", "Identity", "", " identity "])
def test_a_body_that_is_said_to_be_as_it_is_is_taken(server, encoding):
    assert server.post("/run", {"code": "print(1)"}, {"Content-Encoding": encoding}).json["output"] == "1"


def test_a_compressed_body_is_refused_before_it_is_sent(server):
    with server.connect() as connection:
        connection.send(b"POST /run HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
                        b"Content-Encoding: gzip\r\nExpect: 100-continue\r\nContent-Length: 20\r\n\r\n")
        assert connection.socket.recv(12, socket.MSG_PEEK) == b"HTTP/1.1 415"


def test_what_takes_no_body_does_not_ask_how_one_is_encoded(server):
    assert server.get("/version", {"Content-Encoding": "gzip"}).status == 200


@pytest.mark.parametrize("path", ["/run", "/run_code", "/execute", "/health", "/policies", "/nonsense"])
def test_no_answer_is_stored_or_taken_for_another_type(server, path):
    answer = server.post(path, {"code": "print(1)"}) if path in POSTS else server.get(path)
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert "no-store" in answer.headers["Cache-Control"]


def test_a_connection_is_kept_for_the_next_request(server):
    with server.connect() as connection:
        for number in range(5):
            answer = connection.ask("POST", "/run", {"code": f"print({number})"}).answer()
            assert answer.json["output"] == str(number)
        assert connection.ask("POST", "/run", {"nonsense": 1}).answer().status == 400
        assert connection.ask("GET", "/health").answer().status == 200

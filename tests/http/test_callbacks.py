"""Callbacks: a job's client is told of its end, at a URL of its choice, and nobody else can be reached that way.

What needs the module's waits to be short is sent by send-callbacks, which is the service's own module with other
parameters; everything else by the service.
"""

import json
import os
import pathlib
import re
import signal
import socket
import subprocess
import threading
import time

import pytest

from callbacks import SECRET, check_signature
from waiting import until

SENDER = pathlib.Path(__file__).resolve().parents[2] / "build/tests/send-callbacks"


def submit(server, url, code="print(6 * 7)", secret=SECRET, headers=None, **fields):
    answer = server.post("/jobs", {"code": code, "callback": {"url": url, "secret": secret}, **fields}, headers)
    assert answer.status == 202, answer
    return answer.json["id"]


def metric(server, line):
    return int(re.search(rf"^{re.escape(line)} (\d+)$", server.get("/metrics").body.decode(), re.M)[1])


class Sent:
    """send-callbacks, once it has ended: how many were delivered, how many failed, and what it logged."""

    def __init__(self, *urls, hosts, body=b"{}", first_wait_ms=1, time_limit_ms=60000, ca_file="-", env=None):
        with subprocess.Popen([SENDER, str(first_wait_ms), str(time_limit_ms), ca_file, ",".join(hosts), *urls],
                              stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              env={**os.environ, **(env or {})}) as self.process:
            out, err = self.process.communicate(body)
        assert self.process.returncode == 0, err
        self.log = err.decode()
        self.__dict__.update(json.loads(out))


# ── What is sent ──


@pytest.mark.parametrize("kind", ["memory", "sqlite"])
def test_a_job_that_has_ended_is_told_signed_and_as_get_gives_it(serve, receive, tmp_path, kind):
    receiver = receive()
    server = serve(store="memory" if kind == "memory" else f"sqlite:{tmp_path}/jobs.db", callback_host=receiver.host)
    before = int(time.time())
    number = submit(server, receiver.url)
    request = receiver.got.get()
    assert request.path == "/done?x=1" and request.headers["Content-Type"] == "application/json"
    assert request.headers["X-Sandbox-Job"] == number
    assert before <= check_signature(request) <= time.time()
    told = json.loads(request.body)
    assert told["state"] == "done" and told["answer"]["stdout"] == "42\n"
    assert told == server.get(f"/jobs/{number}").json
    until(lambda: metric(server, 'sandbox_callbacks_total{result="delivered"}') == 1)
    assert metric(server, "sandbox_callbacks_waiting") == 0


def test_a_form_may_have_a_callback(serve, receive):
    receiver = receive()
    server = serve(store="memory", callback_host=receiver.host)
    with subprocess.Popen(["curl", "-sS", "-F", 'request={"callback": {"url": "%s", "secret": "%s"}}' % (receiver.url, SECRET),
                           "-F", "code=print('form')", "http://%s:%d/jobs" % server.address], stdout=subprocess.PIPE) as curl:
        number = json.loads(curl.communicate()[0])["id"]
    request = receiver.got.get()
    check_signature(request)
    assert json.loads(request.body)["id"] == number and json.loads(request.body)["answer"]["stdout"] == "form\n"


def test_a_job_that_fails_is_told_too(serve, receive):
    receiver = receive()
    server = serve(store="memory", callback_host=receiver.host)
    submit(server, receiver.url, code="1 / 0")
    assert json.loads(receiver.got.get().body)["answer"]["verdict"] == "exception"


def test_a_thousand_jobs_are_told_once_each(serve, receive):
    receiver = receive()
    server = serve(store="memory", callback_host=receiver.host)
    numbers = [submit(server, receiver.url, code=f"print({i})") for i in range(1000)]
    told = {}
    for _ in numbers:
        request = receiver.got.get()
        check_signature(request)
        told[request.headers["X-Sandbox-Job"]] = json.loads(request.body)["answer"]["stdout"]
    assert told == {number: f"{i}\n" for i, number in enumerate(numbers)}
    until(lambda: metric(server, "sandbox_callbacks_waiting") == 0)
    assert receiver.got.empty() and metric(server, 'sandbox_callbacks_total{result="delivered"}') == 1000


def test_a_service_that_stops_sends_what_it_has_first(serve, receive):
    going = threading.Event()
    receiver = receive(lambda _request: (going.wait(), (200, {}))[1])
    server = serve(store="memory", callback_host=receiver.host, grace="10m")
    for i in range(12):  # more than are sent to one host at once
        submit(server, receiver.url, code=f"print({i})")
    until(lambda: metric(server, "sandbox_callbacks_waiting") == 12)
    server.process.send_signal(signal.SIGTERM)
    until(lambda: any("stopping" in record.get("message", "") for record in server.log.records))
    going.set()
    assert server.wait() == 0
    assert len({request.headers["X-Sandbox-Job"] for request in receiver.got.queue}) == 12, str(server.log)


# ── What is refused ──


def test_callbacks_are_off_by_default_and_the_refusal_says_how_to_get_them(serve):
    server = serve(store="memory")
    answer = server.post("/jobs", {"code": "1", "callback": {"url": "https://example.org/", "secret": SECRET}})
    assert answer.status == 400 and answer.json["field"] == "callback" and "--callback-host" in answer.json["error"]


def test_only_stored_jobs_have_callbacks(serve, receive):
    receiver = receive()
    server = serve(store="memory", callback_host=receiver.host)
    answer = server.post("/run", {"code": "1", "callback": {"url": receiver.url, "secret": SECRET}})
    assert answer.status == 400 and 'unknown field "callback" in POST /run' in answer.json["error"], answer


@pytest.mark.parametrize("callback, field", [
    ("https://example.org/", "callback"),
    ({"url": "https://example.org/"}, "callback"),
    ({"secret": SECRET}, "callback"),
    ({"url": "https://example.org/", "secret": SECRET, "method": "PUT"}, "callback"),
    ({"url": 1, "secret": SECRET}, "callback.url"),
    ({"url": "https://example.org/", "secret": 1}, "callback.secret"),
    ({"url": "https://example.org/", "secret": "x" * 15}, "callback.secret"),
    ({"url": "https://example.org/", "secret": "x" * 257}, "callback.secret"),
    ({"url": "https://example.org/", "secret": "x" * 16 + "\0"}, "callback.secret"),
    ({"url": "https://example.com/", "secret": SECRET}, "callback.url"),
    ({"url": "https://example.org:8443/", "secret": SECRET}, "callback.url"),
    ({"url": "https://me@example.org/", "secret": SECRET}, "callback.url"),
    ({"url": "file:///etc/passwd", "secret": SECRET}, "callback.url"),
    ({"url": "https://example.org/" + "x" * 5000, "secret": SECRET}, "callback.url"),
])
def test_a_callback_that_is_wrong_is_refused_by_its_field(serve, callback, field):
    server = serve(store="memory", callback_host="example.org", cold=True)
    answer = server.post("/jobs", {"code": "1", "callback": callback})
    assert answer.status == 400 and answer.json["field"] == field, answer
    assert server.get("/jobs").json == {"jobs": []}


@pytest.mark.parametrize("host, words", [
    ("*", "--callback-host is HOST or HOST:PORT"),
    ("https://example.org", "--callback-host is HOST or HOST:PORT"),
    ("localhost:80", "name 127.0.0.1 or ::1"),
])
def test_a_host_that_is_none_is_a_mistake_of_the_configuration(refused, host, words):
    assert words in refused(store="memory", callback_host=host)


def test_hosts_of_callbacks_need_a_store(refused):
    assert "give --store" in refused(callback_host="example.org")


# ── Where it may lead ──

ADDRESSES = ["127.0.0.1", "10.1.2.3", "172.16.1.1", "192.168.1.1", "169.254.169.254", "100.64.1.1", "0.0.0.0", "224.0.0.1",
             "255.255.255.255", "::1", "::", "::ffff:127.0.0.1", "64:ff9b::7f00:1", "fc00::1", "fe80::1", "ff02::1",
             "2002:7f00:1::", "2001::1"]


@pytest.fixture
def named(tmp_path):
    """named(address) is what comes before a command, for which hook.example leads to that address."""
    if os.geteuid() != 0:
        pytest.skip("needs root: to give a process a file /etc/hosts of its own")

    def prefix(*addresses):
        hosts = tmp_path / "hosts"
        hosts.write_text("".join(f"{address} hook.example\n" for address in addresses))
        return ["unshare", "--mount", "sh", "-c", f"mount --bind {hosts} /etc/hosts && exec \"$@\"", "sh"]

    return prefix


@pytest.mark.parametrize("address", ADDRESSES)
def test_a_name_may_not_lead_to_an_address_inside(named, tmp_path, address):
    url = "http://hook.example:9/"
    ran = subprocess.run([*named(address), SENDER, "1", "60000", "-", "hook.example:9", url], input=b"{}",
                         capture_output=True, check=True)
    assert json.loads(ran.stdout)["failed"] == 1
    # Refused at once and for good: it was never tried to connect.
    assert b"its address is " in ran.stderr and b"try" not in ran.stderr, ran.stderr


def test_a_name_that_leads_inside_is_not_connected_to(named, receive):
    receiver = receive()
    url = f"http://hook.example:{receiver.port}/"
    ran = subprocess.run([*named("127.0.0.1"), SENDER, "1", "60000", "-", f"hook.example:{receiver.port},{receiver.host}", url],
                         input=b"{}", capture_output=True, check=True)
    assert json.loads(ran.stdout)["failed"] == 1 and receiver.got.empty()
    # The same address is reached by its own name.
    assert Sent(receiver.url, hosts=[receiver.host]).delivered == 1


def test_an_address_of_ipv6_may_be_named(receive):
    receiver = receive(family=socket.AF_INET6, host="::1")
    assert Sent(receiver.url, hosts=[receiver.host]).delivered == 1


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_redirects_are_not_followed(receive, status):
    inside = receive()
    receiver = receive(lambda _request: (status, {"Location": inside.url}))
    sent = Sent(receiver.url, hosts=[receiver.host, inside.host])
    assert sent.failed == 1 and f"it answered {status}, and redirects are not followed" in sent.log
    assert receiver.got.qsize() == 1 and inside.got.empty()


def test_proxies_and_netrc_of_the_environment_are_not_used(receive, tmp_path):
    receiver, proxy = receive(), receive()
    (tmp_path / ".netrc").write_text("machine 127.0.0.1 login me password secret\n")
    sent = Sent(receiver.url, hosts=[receiver.host],
                env={"http_proxy": proxy.url, "all_proxy": proxy.url, "HOME": str(tmp_path)})
    assert sent.delivered == 1 and proxy.got.empty()
    assert receiver.got.get().headers["Authorization"] is None


# ── Tries ──


@pytest.mark.parametrize("status", [429, 500, 503])
def test_what_may_pass_is_tried_again_and_signed_again(receive, status):
    statuses = iter([status, status, 200])
    receiver = receive(lambda _request: (next(statuses), {}))
    assert Sent(receiver.url, hosts=[receiver.host], body=b'{"a": 1}').delivered == 1
    for _ in range(3):
        request = receiver.got.get()
        check_signature(request)
        assert request.body == b'{"a": 1}'


@pytest.mark.parametrize("status", [400, 401, 404, 410])
def test_what_will_not_pass_is_not_tried_again(receive, status):
    receiver = receive(lambda _request: (status, {}))
    sent = Sent(receiver.url, hosts=[receiver.host])
    assert sent.failed == 1 and f"it answered {status}" in sent.log and receiver.got.qsize() == 1


def test_there_are_five_tries_each_later_than_the_one_before(receive):
    times = []
    receiver = receive(lambda _request: (times.append(time.monotonic()), (503, {}))[1])
    sent = Sent(receiver.url, hosts=[receiver.host], first_wait_ms=10)
    assert sent.failed == 1 and "it answered 503 (try 5 of 5)" in sent.log
    assert len(times) == 5
    for i, (before, after) in enumerate(zip(times, times[1:])):
        assert after - before >= 0.8 * 0.010 * 5 ** i


def test_a_server_that_is_not_there_is_tried_again(receive):
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        port = nobody.getsockname()[1]
        sent = Sent(f"http://127.0.0.1:{port}/", hosts=[f"127.0.0.1:{port}"])
    assert sent.failed == 1 and "try 5 of 5" in sent.log


def test_a_server_that_never_answers_holds_up_its_own_callbacks_alone(receive):
    silent, other = receive(lambda _request: None), receive()
    sent = Sent(*[silent.url] * 100, *[other.url] * 100, hosts=[silent.host, other.host], time_limit_ms=200)
    assert (sent.delivered, sent.failed) == (100, 100)
    assert sent.log.count("try 5 of 5") == 100 and other.got.qsize() == 100 and silent.got.qsize() >= 100


def test_an_endless_answer_is_cut_off(receive):
    receiver = receive(lambda _request: (200, {}, b"x" * (64 << 20)))
    assert Sent(receiver.url, hosts=[receiver.host]).delivered == 1


def test_a_large_body_arrives_whole(receive):
    receiver = receive()
    body = json.dumps({"stdout": "x" * (3 << 20)}).encode()
    assert Sent(receiver.url, hosts=[receiver.host], body=body).delivered == 1
    request = receiver.got.get()
    assert request.body == body
    check_signature(request)


def test_the_log_has_the_host_and_not_the_url(receive):
    receiver = receive(lambda _request: (404, {}))
    sent = Sent(receiver.url.replace("/done", "/hook-token-123"), hosts=[receiver.host])
    assert "job-1" in sent.log and "127.0.0.1" in sent.log and "hook-token-123" not in sent.log and SECRET not in sent.log


def test_a_name_server_that_is_silent_does_not_hold_up_the_loop(tmp_path):
    """Nor does the end of the time: the thread that waits for the name server is left alone."""
    if os.geteuid() != 0:
        pytest.skip("needs root: to give a process a network of its own")
    (tmp_path / "resolv.conf").write_text("nameserver 127.0.0.1\noptions timeout:3 attempts:1\n")
    (tmp_path / "hosts").write_text("")
    script = (f"ip link set lo up && mount --bind {tmp_path}/resolv.conf /etc/resolv.conf && "
              f"mount --bind {tmp_path}/hosts /etc/hosts && exec \"$@\"")
    silent = ("import os, socket, sys\n"
              "server = socket.socket(type=socket.SOCK_DGRAM); server.bind(('127.0.0.1', 53))\n"
              "server.set_inheritable(True); os.execv(sys.argv[1], sys.argv[1:])\n")
    ran = subprocess.run(["unshare", "--mount", "--net", "sh", "-c", script, "sh", "/usr/bin/python3", "-c", silent, SENDER,
                          "1", "500", "-", "hook.example", "http://hook.example/"], input=b"{}", capture_output=True,
                         check=True)
    told = json.loads(ran.stdout)
    assert told["failed"] == 1 and b"try 5 of 5" in ran.stderr
    assert told["late_ms"] < 1000  # of the three seconds that a look-up takes


def test_a_certificate_that_nobody_vouches_for_is_not_trusted(receive, tmp_path):
    import ssl
    key, certificate = tmp_path / "key.pem", tmp_path / "cert.pem"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", key, "-out", certificate,
                    "-days", "2", "-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1"],
                   check=True, capture_output=True)
    receiver = receive()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    receiver.server.socket = context.wrap_socket(receiver.server.socket, server_side=True)
    url = receiver.url.replace("http:", "https:")
    assert Sent(url, hosts=[receiver.host]).failed == 1 and receiver.got.empty()
    assert Sent(url, hosts=[receiver.host], ca_file=str(certificate)).delivered == 1
    check_signature(receiver.got.get())

"""Nodes that stop, die, hang or are cut off: with the shipped haproxy.cfg no request fails that could be sent again."""

import os
import re
import signal
import subprocess

import pytest

from http_client import bearer
from lab import CLIENT, CONFIG, LIMITS
from sandbox_run import CHECKOUT
from sandbox_serve import Waiting, says
from waiting import SECONDS, until

pytestmark = pytest.mark.cold


def finish(held):
    """Lets a job go on, on each node where it runs; its request must be answered as if nothing had happened."""
    for pid in held.pids():
        os.kill(pid, held._number)
    answer = held.connection.answer()
    assert answer.status == 200 and answer.json["output"] == "let go", answer
    held.connection.close()


def ask(cluster, count):
    """Short jobs, all at once. Returns (connection, its output) of each."""
    return [(cluster.balancer.send("POST", "/run", {"code": f"import time\ntime.sleep(0.3)\nprint({number})"}), str(number))
            for number in range(count)]


def answered(asked):
    for connection, output in asked:
        answer = connection.answer()
        assert answer is not None and answer.status == 200 and answer.json["output"] == output, (output, answer)
        connection.close()


# ── While all is well ────────────────────────────────────────────────────────────────────────────


def test_haproxy_understands_the_file_without_a_warning(tmp_path):
    pem = tmp_path / "sandbox.pem"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout",
                    pem, "-out", tmp_path / "cert", "-days", "2", "-subj", "/CN=localhost"], check=True, capture_output=True)
    pem.write_text(pem.read_text() + (tmp_path / "cert").read_text())
    text = CONFIG.read_text()
    for path, instead in (("/etc/haproxy/sandbox.pem", pem), ("/run/haproxy/admin.sock", tmp_path / "socket")):
        assert text.count(path) == 1
        text = text.replace(path, str(instead))
    (tmp_path / "haproxy.cfg").write_text(text)
    ran = subprocess.run(["haproxy", "-c", "-f", tmp_path / "haproxy.cfg"], capture_output=True, text=True, check=False)
    assert ran.returncode == 0 and "WARNING" not in ran.stderr, ran


def node_options(text):
    """The options of the command in a text that starts a node."""
    command, = re.findall(r"sandbox-serve (--tokens \S+ .*--grace \S+)", re.sub(r"\\e?\n[ #]*", "", text))
    return dict(re.findall(r"--(\S+) (\S+)", command))


def test_a_node_is_started_as_the_manual_says(cluster, token):
    told = node_options((CHECKOUT / "man/sandbox-serve.8").read_text())
    in_file = node_options(CONFIG.read_text())
    assert {**told, "tokens": None} == {**in_file, "tokens": None}
    alice = token("alice", jobs=1)
    cluster = cluster(nodes=1, insecure=None, **{name.replace("-", "_"): value for name, value in told.items()}
                      | {"tokens": token.file})
    assert cluster.balancer.post("/run", {"code": "print(1)"}).status == 401
    answer = cluster.balancer.post("/run", {"code": "print(1)"}, bearer(alice), source=CLIENT)
    assert answer.json["output"] == "1" and cluster.nodes[0].log.jobs(1)[0]["client"] == CLIENT


def test_requests_go_evenly_and_wait_in_the_balancer(cluster):
    cluster = cluster()
    held = cluster.hold(4)
    assert [sum(node.has(each) for each in held) for node in cluster.nodes] == [2, 2]
    held += cluster.hold(4)
    assert [sum(node.has(each) for each in held) for node in cluster.nodes] == [4, 4]
    held.append(cluster.balancer.hold(limits=LIMITS))
    until(lambda: cluster.balancer.queued() == 1)
    assert [node.metric("sandbox_queue_length") for node in cluster.nodes] == [0, 0]
    finish(held.pop(0))
    for each in held:
        finish(each.started())


def test_a_nodes_weight_is_its_free_share(cluster):
    cluster = cluster()
    first, second = cluster.nodes
    held = [first.hold(limits=LIMITS).started() for _ in range(2)]
    cluster.balancer.knows(first, "UP", 50)
    cluster.balancer.knows(second, "UP", 100)
    for each in held:
        each.release()
    cluster.balancer.knows(first, "UP", 100)


def test_nodes_know_the_clients_of_the_balancer(cluster):
    cluster = cluster(nodes=1)
    answer = cluster.balancer.post("/run", {"code": "print(1)"}, source=CLIENT)
    assert answer.json["output"] == "1"
    assert cluster.nodes[0].log.jobs(1)[0]["client"] == CLIENT


# ── Killed ───────────────────────────────────────────────────────────────────────────────────────


def test_jobs_of_a_node_that_is_killed_run_on_another(cluster):
    cluster = cluster()
    held = cluster.hold(4)
    survivor, victim = cluster.nodes
    lost = [each for each in held if victim.has(each)]
    assert len(lost) == 2
    victim.kill()
    for each in lost:
        until(lambda each=each: survivor.has(each))
    for each in held:
        finish(each)
    answered(ask(cluster, 4))


def test_under_load_every_request_is_answered_though_a_node_is_killed(cluster):
    cluster = cluster()
    victim = cluster.nodes[1]
    asked = ask(cluster, 24)
    until(lambda: any("verdict" in record for node in cluster.nodes for record in node.log.records))
    victim.kill()
    answered(asked)
    assert int(cluster.balancer.state()["node2"]["wredis"]) > 0, "it had no request when it was killed"
    until(lambda: cluster.balancer.state()["node2"]["status"] == "DOWN")
    victim.wait()
    victim.start_again()
    cluster.balancer.knows(victim, "UP")
    held = cluster.hold(2)
    assert [node.has(each) for each in held for node in cluster.nodes].count(True) == 2
    assert cluster.node_of(held[0]) is not cluster.node_of(held[1])
    for each in held:
        finish(each)


@pytest.mark.parametrize("size, status", [(200_000, 200), (300_000, 502)])
def test_a_request_is_sent_again_only_if_it_fits_into_a_buffer(cluster, size, status):
    cluster = cluster()
    job = Waiting(cluster.balancer)
    body = {"code": job.code, "policy": "default", "stdin": size * "x", "timeout": SECONDS, "limits": LIMITS}
    connection = cluster.balancer.send("POST", "/run", body)
    victim = cluster.node_of(job.started())
    survivor, = set(cluster.nodes) - {victim}
    victim.kill()
    if status == 200:
        until(lambda: survivor.has(job))
        job.let_go()
    assert connection.answer().status == status
    connection.close()


# ── Stopped ──────────────────────────────────────────────────────────────────────────────────────


def test_when_a_node_is_stopped_no_request_fails_and_its_long_job_ends(cluster):
    cluster = cluster(linger="5s", grace="10m")
    held = cluster.hold(2)
    long = held[0]
    node = cluster.node_of(long)
    node.signal(signal.SIGTERM)
    while not node.log.all(says("stopping: no new requests")):
        answered(ask(cluster, 2))
    answered(ask(cluster, 8))
    assert node.has(long), "it was ended, or runs elsewhere"
    for each in held:
        finish(each)
    assert node.wait() == 0
    assert {record["verdict"] for record in node.log.records if "verdict" in record} == {"ok"}
    node.start_again()
    cluster.balancer.knows(node, "UP", 100)


def test_a_node_that_lingers_is_drained_before_it_stops(cluster):
    cluster = cluster(linger="1h")
    node, other = cluster.nodes
    held = [node.hold(limits=LIMITS).started()]
    node.signal(signal.SIGTERM)
    until(lambda: cluster.balancer.state()["node1"]["status"] in ("DRAIN", "DOWN (agent)", "DOWN"))
    held += cluster.hold(4)
    assert all(other.has(each) for each in held[1:])
    for each in held:
        finish(each)
    node.signal(signal.SIGTERM)
    assert node.wait() == 0


# ── Cut off, hanging ─────────────────────────────────────────────────────────────────────────────


def test_jobs_of_a_node_that_is_cut_off_run_on_another_and_it_comes_back(cluster):
    cluster = cluster()
    held = cluster.hold(4)
    survivor, victim = cluster.nodes
    lost = [each for each in held if victim.has(each)]
    victim.cut_off()
    asked = ask(cluster, 4)
    answered(asked)
    for each in lost:
        until(lambda each=each: survivor.has(each))
    for each in held:
        finish(each)
    cluster.balancer.knows(victim, "DOWN")
    victim.connect_again()
    cluster.balancer.knows(victim, "UP")
    answered(ask(cluster, 8))


def test_requests_of_a_node_that_hangs_wait_and_others_go_elsewhere(cluster):
    cluster = cluster()
    held = cluster.hold(2)
    victim = cluster.node_of(held[0])
    victim.signal(signal.SIGSTOP)
    asked = ask(cluster, 6)
    cluster.balancer.knows(victim, "DOWN")
    answered(ask(cluster, 8))
    victim.signal(signal.SIGCONT)
    answered(asked)
    for each in held:
        finish(each)
    cluster.balancer.knows(victim, "UP")

"""Jobs that outlast a connection, on several nodes with one Redis: whatever dies, hangs or is cut off, each job that was
accepted has exactly one answer. Redis lets its user do what the manual says, and nothing else."""

import concurrent.futures
import contextlib
import os
import signal
import threading

import pytest

from http_client import bearer
from sandbox_serve import command, says
from shared_jobs import Events, HeldJob, ended, job, let_go, reaches_store, submit
from streams import output
from waiting import until

pytestmark = pytest.mark.cold
JOBS = int(os.environ.get("SANDBOX_TEST_STORED_JOBS") or 300)
# A job, and a graded run.
BOTH = pytest.mark.parametrize("fields", [{}, {"cases": [{}] * 3}], ids=["job", "cases"])


# ── A node dies, hangs, stops ────────────────────────────────────────────────────────────────────


@pytest.mark.long
def test_each_accepted_job_has_one_right_answer_though_nodes_are_killed(shared):
    cluster = shared(nodes=3, tries=1000)
    accepted, over, kills = {}, threading.Event(), []

    def client(numbers):
        for number in numbers:
            headers = {"Idempotency-Key": f"number {number}"}
            while True:  # until it is accepted: the same key is the same job
                with contextlib.suppress(AssertionError, OSError):
                    answer = cluster.balancer.post("/jobs", {"code": f"print({number})"}, headers)
                    if answer.status == 202:
                        break
                    assert answer.status in (502, 503), answer
            accepted[number] = answer.json["id"]

    def killer():
        while not over.is_set():
            victim = cluster.nodes[len(kills) % 3]
            before = victim.metric("sandbox_jobs_started_total", "cold")
            until(lambda: over.is_set() or victim.metric("sandbox_jobs_started_total", "cold") >= before + 10)
            if over.is_set():
                return
            victim.kill()
            victim.wait()
            victim.start_again()
            kills.append(victim)

    with concurrent.futures.ThreadPoolExecutor(9) as pool:
        killing = pool.submit(killer)
        try:
            list(pool.map(client, [range(first, JOBS, 8) for first in range(8)]))
            until(lambda: cluster.redis.ask("ZCARD", "{sb}:q") == cluster.redis.ask("ZCARD", "{sb}:r") == "0")
        finally:
            over.set()
        killing.result()
    node = reaches_store(cluster.nodes[0])
    assert kills and len(set(accepted.values())) == JOBS
    for number, name in accepted.items():
        found = ended(node, name)
        assert (found["state"], found["answer"]["stdout"]) == ("done", f"{number}\n"), found
        assert node.post("/jobs", {"code": f"print({number})"}, {"Idempotency-Key": f"number {number}"}).json["id"] == name


def test_a_job_of_a_node_that_is_killed_runs_on_another_and_is_answered_once(shared):
    cluster = shared()
    held = HeldJob(cluster)
    victim, survivor = held.node(), held.elsewhere()
    waiting = survivor.send("GET", f"/jobs/{held.id}?wait=60")
    victim.kill()
    until(lambda: survivor.has(held))
    let_go(held, tries=2, asked=survivor)
    assert waiting.answer().json["state"] == "done"
    waiting.close()
    until(lambda: survivor.ran(held.id))
    assert len(survivor.ran(held.id)) == 1


def test_a_node_that_hangs_for_longer_than_the_lease_kills_its_job_and_its_answer_is_refused(shared):
    cluster = shared()
    held = HeldJob(cluster)
    victim, survivor = held.node(), held.elsewhere()
    theirs = held.pids()
    victim.signal(signal.SIGSTOP)
    until(lambda: survivor.has(held))
    for pid in theirs:  # its job ends while it hangs
        os.kill(pid, held._number)
    until(lambda: not victim.has(held))
    victim.signal(signal.SIGCONT)
    until(lambda: victim.log.all(says("no longer counts")) or victim.log.all(says("are ended, another node runs them")))
    assert job(victim, held.id)["state"] == "running"
    let_go(held, tries=2, asked=victim)


@BOTH
def test_a_node_that_hangs_with_a_job_ends_it_when_it_goes_on(shared, fields):
    cluster = shared()
    held = HeldJob(cluster, **fields)
    victim, survivor = held.node(), held.elsewhere()
    victim.signal(signal.SIGSTOP)
    until(lambda: survivor.has(held))
    victim.signal(signal.SIGCONT)
    until(lambda: not victim.has(held))
    assert survivor.has(held)
    let_go(held, tries=2)


@BOTH
def test_a_node_that_is_cut_off_ends_its_jobs_before_another_runs_them(shared, fields):
    cluster = shared()
    held = HeldJob(cluster, **fields)
    victim, survivor = held.node(), held.elsewhere()
    victim.cut_off()
    until(lambda: not victim.has(held))
    assert not survivor.has(held), "two ran it at the same time"
    until(lambda: survivor.has(held))
    victim.connect_again()
    let_go(held, tries=2, asked=survivor)
    again = HeldJob(cluster, reaches_store(victim))
    let_go(again, asked=victim)


@BOTH
def test_a_node_that_is_stopped_gives_its_job_back_and_no_loss_is_counted(shared, fields):
    cluster = shared(tries=1, lease="1h", grace="0s")
    held = HeldJob(cluster, **fields)
    victim, survivor = held.node(), held.elsewhere()
    victim.signal(signal.SIGTERM)
    until(lambda: survivor.has(held))
    assert victim.wait() == 0
    let_go(held, tries=2, asked=survivor)


def test_a_job_that_kills_its_nodes_is_lost_after_three(shared):
    cluster = shared(nodes=3)
    poison = HeldJob(cluster)
    for _ in range(3):
        until(poison.node)
        victim = poison.node()
        victim.kill()
        victim.wait()
        victim.start_again()
    for node in cluster.nodes:
        reaches_store(node)
    found = ended(cluster.nodes[0], poison.id)
    assert found["state"] == "lost" and found["answer"] is None and found["tries"] == 3, found
    assert found["reason"] == "so many nodes were lost while it ran: 3"
    assert ended(cluster.nodes[1], submit(cluster.nodes[2], "print('on')"))["answer"]["output"] == "on"


# ── Redis dies, fills up, hangs, changes its password ────────────────────────────────────────────


def refused(node, *words):
    """The node must refuse a job, with these words."""
    answer = node.post("/jobs", {"code": "print('refused')"})
    assert answer.status == 503 and int(answer.headers["Retry-After"]) >= 1, answer
    assert all(word in answer.error for word in words), answer


def test_what_was_accepted_outlasts_redis_and_jobs_that_run_go_on(shared):
    cluster = shared("appendfsync always", lease="10m")
    held = [HeldJob(cluster, node) for node in 2 * cluster.nodes]
    waiting = [submit(cluster.nodes[0], f"print({number})") for number in range(50)]
    cluster.redis.kill()
    for node in cluster.nodes:
        until(lambda node=node: node.log.all(says("it is tried again")))
        refused(node, "job store", "can't be reached")
        ready = node.get("/ready")
        assert ready.status == 200 and ready.json["store"] == "failing"
        answer = node.get(f"/jobs/{waiting[0]}")
        assert answer.status == 503 and answer.headers["Retry-After"]
        connection = node.send("POST", "/run", {"code": "print('works')"})  # it waits for a place
        held.append(connection)
    for each in held[:4]:
        each.let_all_go()
    for connection in held[4:]:
        with connection:
            assert connection.answer().json["output"] == "works"
    until(lambda: all(len(cluster.nodes[0].ran(each.id)) + len(cluster.nodes[1].ran(each.id)) == 1 for each in held[:4]))
    cluster.redis.start()
    for each in held[:4]:
        until(lambda each=each: cluster.nodes[0].get(f"/jobs/{each.id}").status == 200)
        found = ended(cluster.nodes[0], each.id)
        assert (found["state"], found["tries"], found["answer"]["output"]) == ("done", 1, "let go")
    for number, name in enumerate(waiting):
        assert ended(cluster.nodes[1], name)["answer"]["stdout"] == f"{number}\n"


def test_a_full_redis_refuses_jobs_and_those_that_it_has_are_answered(shared):
    cluster = shared()
    held = HeldJob(cluster)
    waiting = [submit(node, f"print({number})") for number, node in enumerate(4 * cluster.nodes)]
    cluster.redis.ask("CONFIG", "SET", "maxmemory", "1mb")
    refused(cluster.nodes[0], "full", "maxmemory")
    let_go(held)
    for number, name in enumerate(waiting):
        assert ended(cluster.nodes[0], name)["answer"]["stdout"] == f"{number}\n"
    cluster.redis.ask("CONFIG", "SET", "maxmemory", "0")
    assert ended(cluster.nodes[0], submit(cluster.nodes[0], "print('again')"))["answer"]["output"] == "again"


def test_a_redis_that_hangs_for_a_moment_delays_jobs_and_loses_none(shared):
    cluster = shared(lease="10m")
    held = HeldJob(cluster)
    cluster.redis.signal(signal.SIGSTOP)
    asked = [node.send("POST", "/jobs", {"code": "print('late')"}) for node in 3 * cluster.nodes]
    held.let_all_go()
    assert cluster.nodes[0].run("print('works')")["output"] == "works"
    assert not any(each.answered() for each in asked)
    cluster.redis.signal(signal.SIGCONT)
    for connection in asked:
        with connection:
            answer = connection.answer()
            assert answer.status == 202
            assert ended(cluster.nodes[0], answer.json["id"])["answer"]["output"] == "late"
    let_go(held)


@pytest.mark.long
def test_a_redis_that_loses_power_is_found_again_by_who_waits(shared):
    cluster = shared(lease="10m")
    held = HeldJob(cluster)
    other = held.elsewhere()
    waiting = other.send("GET", f"/jobs/{held.id}?wait=60")
    until(lambda: other.metric("sandbox_stored_jobs", "running") == 1)
    cluster.lose_power()
    cluster.redis.start()
    until(lambda: other.log.all(says("can be reached again")))
    for node in cluster.nodes:
        reaches_store(node)
    let_go(held)
    found = waiting.answer()
    assert found.status == 200 and found.json["state"] == "done"
    waiting.close()


def test_a_password_that_is_wrong_is_said_at_the_start(shared, launch):
    cluster = shared(nodes=1)
    cluster.redis.password_file.write_text("wrong\n")
    server = launch([*cluster.nodes[0].machine.prefix, *command(store=cluster.redis.address, listen="10.0.0.11:8002",
                                                                insecure=True)])
    assert server.wait() > 0
    said = server.log.records[-1]["message"]
    assert "WRONGPASS" in said and "password-file" in said and "wrong" not in said.replace("WRONGPASS", "")
    assert cluster.redis.ask("ACL", "LOG", "RESET") == "OK"


def test_a_password_may_change_while_nodes_run(shared):
    cluster = shared(nodes=1)
    node, redis = cluster.nodes[0], cluster.redis
    held = HeldJob(cluster)
    redis.ask("ACL", "SETUSER", "sandbox", "resetpass", ">new-password")
    redis.ask("CLIENT", "KILL", "USER", "sandbox")
    until(lambda: "WRONGPASS" in node.post("/jobs", {"code": "1"}).text)
    redis.password_file.write_text("new-password\n")
    until(lambda: node.post("/jobs", {"code": "1"}).status == 202)
    let_go(held)
    assert redis.ask("ACL", "LOG", "RESET") == "OK"


# ── Any node may be asked ────────────────────────────────────────────────────────────────────────


def test_fifty_submissions_with_one_key_on_three_nodes_are_one_job(shared):
    cluster = shared(nodes=3)
    start = threading.Barrier(50)

    def send(number):
        start.wait()
        return submit(cluster.nodes[number % 3], "print('once')", {"Idempotency-Key": "k"})
    with concurrent.futures.ThreadPoolExecutor(50) as pool:
        numbers = set(pool.map(send, range(50)))
    assert len(numbers) == 1
    number, = numbers
    assert ended(cluster.nodes[0], number)["tries"] == 1
    assert sum(len(node.ran(number)) for node in cluster.nodes) == 1


def test_somebody_elses_job_does_not_exist_on_any_node(shared, token):
    ann, bob = bearer(token("ann")), bearer(token("bob"))
    cluster = shared(nodes=3, tokens=token.file, insecure=None)
    number = submit(cluster.nodes[0], "print('secret')", ann)
    for node in cluster.nodes:
        assert ended(node, number, ann)["answer"]["output"] == "secret"
        for method, path in [("GET", ""), ("GET", "?wait=1"), ("DELETE", ""), ("GET", "/events")]:
            assert node.ask(method, f"/jobs/{number}{path}", headers=bob).status == 404
        assert node.get("/jobs", bob).json == {"jobs": []}


def test_any_node_tells_of_an_end_at_once_and_gives_the_events(shared):
    cluster = shared()
    held = HeldJob(cluster, first="print('first', flush=True)\n")
    other = held.elsewhere()
    waiting = [other.send("GET", f"/jobs/{held.id}?wait=60") for _ in range(20)]
    events = Events(other, held.id)
    until(lambda: job(other, held.id)["state"] == "running")
    assert not any(each.answered() for each in waiting)
    held.let_all_go()
    for connection in waiting:
        with connection:
            assert connection.answer().json["answer"]["output"] == "first\nlet go"
    found = list(events.events())
    assert found[0][0] == "start" and found[-1][0] == "verdict"
    assert output(found) == b"first\nlet go\n"
    events.connection.close()


@BOTH
def test_any_node_cancels_a_job_wherever_it_runs(shared, fields):
    cluster = shared(lease="1h")
    held = HeldJob(cluster, **fields)
    other = held.elsewhere()
    assert other.ask("DELETE", f"/jobs/{held.id}").status == 204
    until(lambda: not held.pids())
    assert [job(node, held.id)["state"] for node in cluster.nodes] == ["cancelled"] * 2

"""A Redis that is far away, or says nothing: answers of nodes stay prompt, jobs go on, and no node is thought dead."""

import signal
import time

import pytest

from shared_jobs import HeldJob, ended, job, let_go, reaches_store, submit
from waiting import until

pytestmark = pytest.mark.cold
JOBS = 40
PATIENCE = 5  # seconds that a node waits for an answer of Redis


def test_a_slow_wire_to_redis_that_loses_packets_fences_nobody(shared):
    cluster = shared(slow={"delay": 0.05, "jitter": 0.02, "loss": 0.01})
    far, near = cluster.nodes
    reaches_store(far)
    held = HeldJob(cluster)
    # They take so long that the near node can't run all of them before the far one hears of any.
    code = "import time\ntime.sleep(0.2)\nprint({})"
    accepted = {submit(cluster.nodes[number % 2], code.format(number)): f"{number}\n" for number in range(JOBS)}
    for at, (number, text) in enumerate(accepted.items()):
        found = ended(cluster.nodes[at % 2], number)
        assert (found["state"], found["tries"], found["answer"]["stdout"]) == ("done", 1, text), found
    assert let_go(held, asked=far)["tries"] == 1
    assert all(any(node.ran(number) for number in accepted) for node in cluster.nodes)
    assert cluster.wire.frames > JOBS
    for node in (far, near):
        assert not node.log.all(lambda record: record["level"] == "error" or "tried again" in record["message"]), node.log


# ── A Redis that says nothing ────────────────────────────────────────────────────────────────────


def silent(cluster):
    """From now on Redis' machine takes connections and what is sent to it, and nothing comes back. Waits until each node
    has noticed."""
    cluster.redis.signal(signal.SIGSTOP)
    for node in cluster.nodes:
        until(lambda node=node: node.get("/jobs").status == 503)


def test_a_node_whose_redis_says_nothing_answers_at_once_that_it_does_not(shared):
    cluster = shared(lease="10m")
    held = HeldJob(cluster)
    waits = cluster.nodes[1].send("GET", f"/jobs/{held.id}?wait=60")
    until(lambda: cluster.redis.ask("PUBSUB", "NUMSUB", f"{{sb}}:e:{held.id}").endswith("1"))
    job(cluster.nodes[1], held.id)  # answered after what was asked before
    silent(cluster)
    begun = time.monotonic()
    for _ in range(10):
        for node in cluster.nodes:
            for method, path in [("POST", "/jobs"), ("GET", "/jobs"), ("GET", f"/jobs/{held.id}"),
                                 ("GET", f"/jobs/{held.id}?wait=60"), ("GET", f"/jobs/{held.id}/events"),
                                 ("DELETE", f"/jobs/{held.id}")]:
                answer = node.ask(method, path, {"code": "1"} if method == "POST" else None)
                assert answer.status == 503 and int(answer.headers["Retry-After"]) >= 1, (method, path, answer)
                assert "job store" in answer.error and "does not answer" in answer.error, answer
            assert node.get("/ready").status == 200
            assert node.run("print('works')")["output"] == "works"
    assert time.monotonic() - begun < 10 * PATIENCE, "each would have waited"
    cluster.redis.signal(signal.SIGCONT)
    for node in cluster.nodes:
        reaches_store(node)
    let_go(held)
    answer = waits.answer()
    assert answer.status == 200 and answer.json["answer"]["output"] == "let go", answer
    waits.close()


def test_jobs_go_on_when_a_silent_redis_does(shared):
    cluster = shared(lease="10m", tries=1)
    held = [HeldJob(cluster) for _ in range(4)]  # every place is taken
    accepted = {submit(cluster.nodes[number % 2], f"print({number})"): f"{number}\n" for number in range(JOBS)}
    cluster.redis.signal(signal.SIGSTOP)
    for each in held:  # their answers can't be told, and the next jobs can't be claimed
        each.let_all_go()
    silent(cluster)
    cluster.redis.signal(signal.SIGCONT)
    for each in held:
        let_go(each, asked=reaches_store(cluster.nodes[0]))
    for number, text in accepted.items():
        found = ended(cluster.nodes[0], number)
        assert (found["state"], found["answer"]["stdout"]) == ("done", text), found


def test_a_node_starts_while_redis_says_nothing(shared):
    cluster = shared(nodes=1)
    node = cluster.nodes[0]
    node.kill()
    node.wait()
    cluster.redis.signal(signal.SIGSTOP)
    node.start_again()
    assert "does not answer" in node.post("/jobs", {"code": "1"}).error
    assert node.run("print('works')")["output"] == "works"
    cluster.redis.signal(signal.SIGCONT)
    assert ended(reaches_store(node), submit(node, "print('on')"))["answer"]["output"] == "on"

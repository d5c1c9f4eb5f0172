"""A Redis that is far away, or says nothing: answers of nodes stay prompt, jobs go on, and no node is thought dead."""

import pytest

from shared_jobs import HeldJob, ended, let_go, reaches_store, submit

pytestmark = pytest.mark.cold
JOBS = 40


def test_a_slow_wire_to_redis_that_loses_packets_fences_nobody(shared):
    cluster = shared(slow={"delay": 0.05, "jitter": 0.02, "loss": 0.01})
    far, near = cluster.nodes
    reaches_store(far)
    held = HeldJob(cluster)
    accepted = {submit(cluster.nodes[number % 2], f"print({number})"): f"{number}\n" for number in range(JOBS)}
    for at, (number, text) in enumerate(accepted.items()):
        found = ended(cluster.nodes[at % 2], number)
        assert (found["state"], found["tries"], found["answer"]["stdout"]) == ("done", 1, text), found
    assert let_go(held, asked=far)["tries"] == 1
    assert all(any(node.ran(number) for number in accepted) for node in cluster.nodes)
    assert cluster.wire.frames > JOBS
    for node in (far, near):
        assert not node.log.all(lambda record: record["level"] == "error" or "tried again" in record["message"]), node.log

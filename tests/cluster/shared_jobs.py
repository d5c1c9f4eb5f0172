"""Stored jobs as the tests of several nodes submit, hold and await them."""

import contextlib
import os

from sandbox_serve import Waiting
from streams import SSE, Stream
from waiting import until

LEASE = "3s"  # of nodes that share a Redis


def submit(node, code, headers=None, **fields):
    answer = node.post("/jobs", {"code": code, **fields}, headers)
    assert answer.status == 202, answer
    return answer.json["id"]


def job(node, number, wait=0, headers=None):
    answer = node.get(f"/jobs/{number}?wait={wait}", headers)
    assert answer.status == 200, answer
    return answer.json


def ended(node, number, headers=None):
    while (found := job(node, number, 60, headers))["state"] in ("queued", "running"):
        pass
    return found


def reaches_store(node):
    """Waits until a node that has just started does: until then it answers 503."""
    until(lambda: node.get("/jobs").status == 200)
    return node


class HeldJob(Waiting):
    """A stored job that runs until the test lets it go on, on whichever node."""

    def __init__(self, cluster, node=None, headers=None, first="", **fields):
        super().__init__(cluster.balancer)
        self.cluster, self._gone = cluster, set()
        self.id = submit(node or cluster.nodes[0], first + self.code, headers, policy="default", timeout=300, **fields)
        self.started()

    def node(self):
        """Where it runs."""
        found = [node for node in self.cluster.nodes if node.has(self)]
        return found[0] if len(found) == 1 else None

    def elsewhere(self):
        """Another node."""
        return next(node for node in self.cluster.nodes if not node.has(self))

    def let_all_go(self):
        """Those that wait now."""
        for pid in self.pids() - self._gone:
            self._gone.add(pid)
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, self._number)


def let_go(held, tries=1, asked=None):
    """Its one answer, in that try."""
    node = asked or held.cluster.nodes[0]
    until(lambda: held.let_all_go() or job(node, held.id)["state"] == "done")
    found = job(node, held.id)
    assert (found["state"], found["tries"], found["answer"]["output"]) == ("done", tries, "let go"), found
    return found


class Events(Stream):
    """The events of a stored job."""

    def __init__(self, node, number):
        self.accept = SSE
        self.connection = node.connect().ask("GET", f"/jobs/{number}/events", None, {"Accept": SSE})

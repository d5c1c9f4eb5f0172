"""What tests of stored jobs share: to send one, to ask for it, to follow it."""

import re

from sandbox_serve import Waiting
from streams import SSE, Stream

# Its function `main` returns a value that is nested as deeply as can be.
NESTED = """
import sys
sys.setrecursionlimit(10000)
def main():
    value = []
    for _ in range(999): value = [value]
    return value"""
ID = re.compile(r"[0-9a-f]{32}")


def submit(server, code, headers=None, **fields):
    """The id of a job that was accepted."""
    answer = server.post("/jobs", {"code": code, **fields}, headers)
    assert answer.status == 202, answer
    assert answer.json["state"] in ("queued", "running", "done") and set(answer.json) == {"id", "state"}
    assert ID.fullmatch(answer.json["id"]) and answer.headers["Location"] == f"/jobs/{answer.json['id']}"
    return answer.json["id"]


def job(server, number, headers=None, wait=None):
    answer = server.get(f"/jobs/{number}" + (f"?wait={wait}" if wait is not None else ""), headers)
    assert answer.status == 200, answer
    return answer.json


def ended(server, number, headers=None):
    """The job once it has ended."""
    while (found := job(server, number, headers, wait=60))["state"] in ("queued", "running"):
        pass
    return found


class HeldJob(Waiting):
    """A stored job that runs until the test lets it go on."""

    def __init__(self, server, headers=None, first="", **fields):
        super().__init__(server)
        self.id = submit(server, first + self.code, headers, policy="default", timeout=300, **fields)


class Events(Stream):
    def __init__(self, server, number, accept=SSE):
        self.accept = accept
        self.connection = server.connect()
        self.connection.ask("GET", f"/jobs/{number}/events", None, {"Accept": accept})

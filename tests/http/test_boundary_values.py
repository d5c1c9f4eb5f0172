"""Requests at the edge of what a policy, tmpfs and execve take: the last that fits runs, cold and warm; the first that
does not is refused by its field. Nothing that a request can say is the sandbox's own failure."""

import json
import shutil

import pytest

from sandbox_serve import POLICIES, Server, command
from serve_fixtures import shared_pids
from waiting import until

PAGE = 4096
LONGEST = 131071  # bytes of one string that execve takes beside its NUL
LIMITS = {"tmp_files": 16, "tmp_bytes": 16 * PAGE}  # with the script, which takes one of each


def files(count, size=0):
    return {f"f{n}": "x" * size for n in range(count)}


def strings(total):
    """Arguments that take so many bytes, with a NUL and a pointer for each."""
    return ["x" * (65536 - 9)] * (total // 65536) + ["x" * (total % 65536 - 9)]


EDGES = {
    "files": ("files", {"files": files(15)}, {"files": files(16)}),
    "directories": ("files", {"files": {f"d{n}/f": "" for n in range(7)} | {"f": ""}},
                    {"files": {f"d{n}/f": "" for n in range(8)}}),
    "one deep directory": ("files", {"files": {"d/" * 14 + "f": ""}}, {"files": {"d/" * 15 + "f": ""}}),
    "bytes of one file": ("files", {"files": {"f": "x" * 15 * PAGE}}, {"files": {"f": "x" * (15 * PAGE + 1)}}),
    "pages of many files": ("files", {"files": files(13, PAGE) | {"a": "x", "b": "x"}},
                            {"files": files(13, PAGE) | {"a": "x" * (PAGE + 1), "b": "x"}}),
    "files beside code that is none": ("files", {"name": "-c", "files": files(16, PAGE)},
                                       {"name": "-c", "files": files(15, PAGE) | {"f": "x" * (PAGE + 1)}}),
    "code": ("code", {"code": "print(1)".ljust(16 * PAGE, "#")}, {"code": "print(1)".ljust(16 * PAGE + 1, "#")}),
    "main.py": ("files", {"code": None, "files": {"main.py": "print(1)".ljust(8 * PAGE), "f": "x" * 8 * PAGE}},
                {"code": None, "files": {"main.py": "print(1)".ljust(8 * PAGE), "f": "x" * (8 * PAGE + 1)}}),
    "a file's name": ("files", {"files": {"ü" * 127 + "n": ""}}, {"files": {"ü" * 128: ""}}),
    "the code's name": ("name", {"name": "a/" + "ü" * 127 + "n.py"[:1]}, {"name": "ü" * 128}),
    "an argument": ("args", {"args": ["x" * LONGEST]}, {"args": ["x" * (LONGEST + 1)]}),
    "a variable": ("env", {"env": {"A": "x" * (LONGEST - 2)}}, {"env": {"A": "x" * (LONGEST - 1)}}),
    "a variable's name": ("env", {"env": {"x" * (LONGEST - 1): ""}}, {"env": {"x" * LONGEST: ""}}),
    "the function's name": ("call", {"call": "x" * LONGEST}, {"call": "x" * (LONGEST + 1)}),
    "all arguments": ("args", {"args": strings((1 << 21) - 2600)}, {"args": strings((1 << 21) - 2000)}),
    "many arguments": ("args", {"args": [""] * 19000}, {"args": ["x" * 102] * 19000}),
    "arguments and variables": ("args", {"args": strings(1 << 20), "env": {f"A{n}": "x" * 65400 for n in range(15)}},
                                {"args": strings(1 << 20), "env": {f"A{n}": "x" * 65400 for n in range(16)}}),
    "many variables": ("env", {"env": {f"A{n}": "" for n in range(19000)}},
                       {"env": {f"A{n}": "x" * 99 for n in range(19000)}}),
}


@pytest.fixture(scope="module", params=["cold", "warm"])
def edge(request, tmp_path_factory):
    """A server whose policy run_code has small limits, and whether its jobs start warm."""
    directory = tmp_path_factory.mktemp("edge") / "policies"
    shutil.copytree(POLICIES, directory)
    policy = json.loads((directory / "run_code.json").read_text())
    policy["limits"] |= LIMITS
    policy["caps"] |= LIMITS
    (directory / "run_code.json").write_text(json.dumps(policy))
    server = Server(command(policies=directory, max_body="64M", cold=request.param == "cold")).listening()
    shared_pids.add(server.pid)
    if request.param == "warm":
        until(lambda: run(server, {}).json["enforcement"]["start"] == "warm")
    yield server
    server.stop()


def run(server, body):
    body = {"code": "print(1)", "policy": "run_code", **body}
    return server.post("/run", {name: value for name, value in body.items() if value is not None})


@pytest.mark.parametrize("what", EDGES)
def test_the_last_that_fits_runs_and_the_first_that_does_not_is_refused_by_name(edge, what):
    field, fits, does_not = EDGES[what]
    answer = run(edge, fits)
    assert answer.status == 200 and answer.json["output"] == "1", answer
    assert answer.json["verdict"] == ("exception" if "call" in fits else "ok")
    answer = run(edge, does_not)
    assert answer.status == 400 and answer.error and answer.field.startswith(field), answer
    assert edge.get("/health").json == {"status": "healthy"}


# A millisecond of wall time a busy host may not have to give, which is told as such.
LEAST = {"cpu_time_ms": 1, "memory_bytes": 8 << 20, "pids": 1, "output_bytes": 1, "open_files": 8,
         "result_bytes": 1, "displays": 1, "display_bytes": 1}


@pytest.mark.parametrize("limit", LEAST)
def test_the_least_of_each_limit_is_no_failure_of_the_sandbox(edge, limit):
    """Whether the job fits into it is for the verdict to say."""
    for body in ({}, {"code": "def main(): return 10", "call": "main"}, {"code": "import os; os.fork()"},
                 {"code": "x = 'a' * 10_000_000"}, {"args": strings((1 << 21) - 4096)}, {"files": files(15, PAGE)}):
        answer = run(edge, {"limits": {limit: LEAST[limit]}, **body})
        assert answer.status == 200 and answer.json["verdict"] != "internal", answer


def test_all_least_limits_together_are_none_either(edge):
    for more in ({"cpus": 0.01}, {"cpus": 0.2, "wall_time_ms": 10000, "cpu_time_ms": 1000}):
        answer = run(edge, {"limits": {**LEAST, **more}})
        assert answer.status == 200 and answer.json["verdict"] != "internal", answer

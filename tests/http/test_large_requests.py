"""The largest requests that are allowed, of each kind: what one costs grows with its size and not with the square of
that, on the loop that all clients share and in the job's own processes before the script's time begins.

Counted is CPU time, of the service by its schedstat and of jobs by what it has reaped: it does not depend on who else
uses the machine. Twice as much may cost three times as much (of n log n it is 2.2), not four times."""

import json
import pathlib

import pytest

from sandbox_serve import SANITIZED

pytestmark = [pytest.mark.cold, pytest.mark.skipif(SANITIZED, reason="sanitizers' own work is counted too")]

# What a caller may ask for with the policy "default", whose caps are the widest.
WIDE = {"policy": "default", "limits": {"tmp_files": 500_000, "tmp_bytes": 1 << 30, "memory_bytes": 1 << 30,
                                        "output_bytes": 8 << 20, "result_bytes": 8 << 20}}
# Noise, of a job that does nothing and of the clock that counts jobs in steps of 10 ms.
SPARE_NS = 60_000_000


def numbers(count):
    return [f"{number:08}" for number in range(count)]


def named(*, prefix="", suffix="", value=""):
    return lambda count: {f"{prefix}{number}{suffix}": value for number in numbers(count)}


def nested(depth):
    return f"value = 0\nfor _ in range({depth}): value = [value]\ndef f(): return [value] * 4000"


# name: (the larger size, the request of a size)
KINDS = {
    "variables": (19_800, lambda n: {"env": named(value="x")(n)}),
    "variables that begin alike": (19_800, lambda n: {"env": named(prefix="A" * 60, value="x")(n)}),
    "arguments": (19_800, lambda n: {"args": ["x" * 80] * n}),
    "files": (9_800, lambda n: {"files": named(prefix="f" * 150)(n), **WIDE}),
    "files in directories of their own": (9_800, lambda n: {"files": named(suffix=f"/{'d' * 100}/f")(n), **WIDE}),
    "files in one deep directory": (1_800, lambda n: {"files": named(prefix="d/" * 500)(n), **WIDE}),
    "files, the deeper the more": (500, lambda n: {"files": named(prefix="d/" * n)(500), **WIDE}),
    "files, each in a deep directory of its own": (
        500, lambda n: {"files": named(suffix="/" + "d/" * n + "f")(200), **WIDE}),
    "files whose paths lead up and down": (340, lambda n: {"files": named(prefix="a/../" * (n // 2))(1_000), **WIDE}),
    "files that declare an encoding": (
        9_800, lambda n: {"files": named(prefix="m", suffix=".py", value="# coding: latin1\n" + "x" * 80)(n), **WIDE}),
    "code of one line": (900_000, lambda n: {"code": "#" * n, **WIDE}),
    "code of short lines": (900_000, lambda n: {"code": "\n" * n, **WIDE}),
    "code that never declares its encoding": (900_000, lambda n: {"code": "#" + "coding:" * (n // 7), **WIDE}),
    "input": (2_000_000, lambda n: {"stdin": "x" * n}),
    "input of control characters": (300_000, lambda n: {"stdin": "\x01" * n}),
    "arguments of a call": (18_000, lambda n: {"code": "def f(*a): pass", "call": {"name": "f", "args": [0] * n}}),
    "names in a call": (8_000, lambda n: {"code": "def f(**a): pass",
                                          "call": {"name": "f", "kwargs": named(value=0)(n)}}),
    "fields that are not known": (19_000, lambda n: {"env": {}, **named()(n)}),
    "limits that are not known": (19_000, lambda n: {"limits": named(value=1)(n)}),
    "output": (4_000_000, lambda n: {"code": f"print('x' * {n})", **WIDE}),
    "output that is not text": (4_000_000, lambda n: {"code": f"import os; os.write(1, b'\\xff' * {n})", **WIDE}),
    "output beyond its limit": (16_000_000, lambda n: {"code": f"print('x' * {n})"}),
    "output in small pieces": (
        60_000, lambda n: {"code": f"import os\nfor _ in range({n}): os.write(1, b'x')", **WIDE}),
    "a result of many values": (1_000_000, lambda n: {"code": f"def f(): return [0] * {n}", "call": "f", **WIDE}),
    "a nested result": (400, lambda n: {"code": nested(n), "call": "f", **WIDE}),
    "a result of quotes": (2_000_000, lambda n: {"code": f"def f(): return '\"' * {n}", "call": "f", **WIDE}),
    "a result of half characters": (
        300_000, lambda n: {"code": f"def f(): return '\\ud800' * {n}", "call": "f", **WIDE}),
}


def keys_twice(count):
    """A key stands twice, as far apart as can be."""
    keys = [*numbers(count), numbers(1)[0]]
    return b'{"code": "pass", "env": {' + b", ".join(b'"%s": ""' % key.encode() for key in keys) + b"}}"


# No JSON library writes these: bodies of an exact size.
TEXTS = {
    "a key twice": (19_000, keys_twice),
    "a number of many digits": (2_000_000, lambda n: b'{"code": "pass", "timeout": %s}' % (b"1" * n)),
    "a fraction of many digits": (2_000_000, lambda n: b'{"code": "pass", "timeout": 0.%s}' % (b"1" * n)),
    "an exponent of many digits": (2_000_000, lambda n: b'{"code": "pass", "timeout": 1e%s}' % (b"1" * n)),
    "escapes": (1_900_000, lambda n: b'{"code": "pass", "stdin": "%s"}' % (b"\\ud83d\\ude00" * (n // 12))),
    "lines before what is wrong": (2_000_000, lambda n: b'{"code": "pass"%s!}' % (b"\n" * n)),
}


def cost(server, body):
    """CPU time that a request takes, in ns: of the service, and of its job."""
    def used():
        times = pathlib.Path(f"/proc/{server.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(pathlib.Path(f"/proc/{server.pid}/schedstat").read_text().split()[0]),
                10_000_000 * (int(times[13]) + int(times[14])))

    before = used()
    answer = server.post("/run", body)
    assert answer.status in (200, 400), answer
    if answer.status == 200:
        assert answer.json["verdict"] in ("ok", "exception"), answer
    return [after - earlier for earlier, after in zip(before, used(), strict=True)]


def body_of(kind, count):
    if kind in TEXTS:
        return TEXTS[kind][1](count)
    return json.dumps({"code": "pass", **KINDS[kind][1](count)}, ensure_ascii=False).encode()


@pytest.mark.parametrize("kind", [*KINDS, *TEXTS])
def test_twice_as_much_costs_no_more_than_three_times_as_much(server, kind):
    most = (KINDS.get(kind) or TEXTS[kind])[0]
    bodies = [body_of(kind, count) for count in (most // 2, most)]
    assert len(bodies[1]) <= 2 << 20, "more than is allowed: nothing is shown"
    tries = []
    for _ in range(4):
        tries.append([cost(server, body) for body in bodies])
        half, whole = ([min(parts) for parts in zip(*costs, strict=True)] for costs in zip(*tries, strict=True))
        if all(larger <= 3 * smaller + SPARE_NS for smaller, larger in zip(half, whole, strict=True)):
            return
    pytest.fail(f"half as much takes the service and the job {half} ns, all of it {whole} ns")

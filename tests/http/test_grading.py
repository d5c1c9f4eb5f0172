"""A program's verdict is its own, whatever runs beside it: alone or with many, on a host that is idle or busy, warm or cold;
if programs are sent as sandbox-serve(8) says, all of them are graded.

Each batch asks for all programs of graded_programs.py at once, each by a client of its own. From the environment:
SANDBOX_TEST_BATCHES, how many there are of each of four kinds; default: 1."""

import concurrent.futures
import os
import re
import subprocess
import sys

import pytest

from examples import BLOCKS, MANUAL
from graded_programs import PROGRAMS, SLOW, became, request_of

BATCHES = int(os.environ.get("SANDBOX_TEST_BATCHES") or 1)
ALL_KINDS = not os.environ.get("SANDBOX_TEST_QUICK")  # of the four, in the part slow
# An emulated machine, which computes so slowly, has some of them.
ROWS = (PROGRAMS * 2)[:64] if SLOW == 1 else PROGRAMS[::3]
CLIENTS = len(ROWS)
BUSY = 3 * os.cpu_count()


@pytest.fixture
def load(request):
    """That many processes outside the service, which want a CPU all the time."""
    burners = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(request.param)]
    yield
    for burner in burners:
        burner.kill()
        burner.wait()


def wrong(rows, answers):
    """The outcomes of programs that differ from the expected ones."""
    return [(row, became(answer.json), answer.json) for row, answer in zip(rows, answers) if became(answer.json) != row[0]]


def ask_at_once(server, rows):
    asked = [server.send("POST", "/run", request_of(row), source=f"127.0.0.{10 + number}") for number, row in enumerate(rows)]
    answers = [connection.answer() for connection in asked]
    for connection in asked:
        connection.close()
    return answers


def test_there_are_programs_of_all_kinds():
    assert len(PROGRAMS) == 61
    assert {row[0].split()[0] for row in PROGRAMS} == {"ok", "exception", "exit", "signal", "timeout", "cpu_time", "memory"}


def test_programs_that_run_alone_are_what_they_are_said_to_be(serve):
    server = serve(jobs=1)
    assert not wrong(PROGRAMS, [server.post("/run", request_of(row)) for row in PROGRAMS])


@pytest.mark.slow
@pytest.mark.alone
@pytest.mark.parametrize("load, options", [
    *[pytest.param(0, {}, id="warm")] * ALL_KINDS,
    pytest.param(BUSY, {"jobs": CLIENTS}, id="warm, all at once, on a busy host", marks=pytest.mark.vm("service")),
    *[pytest.param(0, {"cold": True, "jobs": CLIENTS}, id="cold, all at once")] * ALL_KINDS,
    pytest.param(BUSY, {"cold": True}, id="cold, on a busy host", marks=pytest.mark.vm("service")),
], indirect=["load"])
def test_programs_that_run_beside_many_have_the_verdict_that_they_have_alone(serve, load, options):
    server = serve(queue=1000, queue_time="10m", memory="100G", **options)
    for batch in range(BATCHES):
        assert not wrong(ROWS, ask_at_once(server, ROWS)), batch


def grader(server, **limits):
    """The manual's client, for programs with less time."""
    block, = [text for _, text in BLOCKS if "def grade" in text]
    text = block.partition("\nsubmissions = ")[0].replace("localhost:8000", f"localhost:{server.address[1]}")
    text = text.replace('"policy": "judge"', f'"policy": "judge", "limits": {limits}')
    names = {}
    exec(compile(text, "sandbox-serve.8", "exec"), names)
    return names["grade"]


def options_of_manual():
    """What the manual gives to the service for it."""
    words = re.search(r"^sandbox-serve (--queue .*)$", MANUAL, re.M)[1].split()
    return {name.removeprefix("--").replace("-", "_"): value for name, value in zip(words[::2], words[1::2])}


@pytest.mark.slow
def test_a_hundred_clients_of_which_one_in_five_sends_an_endless_loop_all_have_their_grade(serve):
    server = serve(**options_of_manual())
    grade = grader(server, cpu_time_ms=300)
    submissions = ["def total(numbers): return sum(numbers)", "def total(numbers): return 0", "raise SystemExit(0)",
                   "import os; os._exit(0)", "while True: pass"]
    asked = [submissions[number % len(submissions)] for number in range(128)]
    with concurrent.futures.ThreadPoolExecutor(len(asked)) as pool:
        grades = list(pool.map(lambda each: grade(each, "assert total([1, 2, 3]) == 6"), asked))
    assert grades == [submission == submissions[0] for submission in asked]
    assert server.metric("sandbox_http_responses_total", "200") == len(asked), "503 was answered"

"""--cases: one script, run once for each case of a file; the table, --json, --junit and the exit status."""

import json
import re
import signal
import subprocess
import xml.etree.ElementTree as ElementTree

import pytest

from processes import descendants
from sandbox_run import refused
from waiting import until

pytestmark = pytest.mark.cold

DOUBLE = "print(2 * int(input()))"
MIXED = [{"name": "small", "stdin": "2", "expected": {"stdout": "4"}}, {"stdin": "3", "expected": {"stdout": "7"}},
         {"name": "no number", "stdin": "x", "expected": {"stdout": ""}}, {"stdin": "21"}]


@pytest.fixture
def graded(run, tmp_path):
    """graded(code, cases, option…) runs them; `cases` is what the file holds."""
    def call(code, cases, *options, **keywords):
        file = tmp_path / "cases.json"
        file.write_text(cases if isinstance(cases, str) else json.dumps(cases))
        return run("--cases", str(file), *options, code=code, **keywords)

    return call


def rows(ran):
    """Of each row: what it says of correct, verdict and the rest."""
    head, *lines, _ = ran.stdout.splitlines()
    assert head.split() == ["#", "correct", "verdict", "ms", "name"]
    found = [re.fullmatch(r" *(\d+)  (\S+) +(\S+) +(\S+)(?:  (.*))?", line) for line in lines]
    assert [int(match[1]) for match in found] == list(range(len(lines)))
    return [(match[2], match[3], match[5] or "") for match in found]


def test_the_table_says_how_each_case_ended_and_why_it_failed(graded):
    ran = graded(DOUBLE, MIXED)
    assert rows(ran) == [
        ("yes", "ok", "small"), ("no", "ok", 'line 1: expected "7", got "6"'),
        ("no", "exception", "no number  ValueError: invalid literal for int() with base 10: 'x'"), ("-", "ok", "")]
    assert ran.stdout.splitlines()[-1] == "1 of 4 correct, 2 failed, 1 without expectation"
    assert ran.status == 1 and ran.stderr == ""


@pytest.mark.parametrize("cases,status", [(MIXED[:1], 0), (MIXED[3:], 0), (MIXED[:2], 1), ([{"stdin": "x"}], 1)])
def test_the_exit_status_says_whether_any_case_failed(graded, cases, status):
    assert graded(DOUBLE, cases).status == status


def test_json_is_the_answer_of_the_service(graded):
    ran = graded(DOUBLE, {"cases": MIXED}, json=True)
    answer = json.loads(ran.out)
    assert ran.status == 1 and answer["passed"] == 1 and answer["verdict"] == "exception"
    assert [case["correct"] for case in answer["cases"]] == [True, False, False, None]
    assert [case["stdout"] for case in answer["cases"]] == ["4\n", "6\n", "", "42\n"]


def test_each_way_of_comparing_works(graded):
    cases = [{"expected": {"stdout": "1 2\n", "compare": how}}
             for how in ("exact", "lines", "tokens", {"float": 0.1})]
    verdicts = [[row[0] for row in rows(graded(f"print({text!r})", cases))] for text in ("1 2", "1 2 ", "1\n2", "1.01 2")]
    assert verdicts == [["yes"] * 4, ["no", "yes", "yes", "yes"], ["no", "no", "yes", "yes"], ["no", "no", "no", "yes"]]


def test_values_are_compared_and_shown(graded):
    cases = [{"call": {"name": "f", "args": [n]}, "expected": {"result": {"n": 1}}} for n in (1, 2)]
    assert rows(graded("def f(n): return {'n': n}", cases)) == [
        ("yes", "ok", ""), ("no", "ok", 'value: expected {"n":1}, got {"n": 2}')]


def test_options_hold_for_all_cases_and_a_case_adds_to_them(graded, tmp_path):
    (tmp_path / "shared.txt").write_text("shared")
    code = "import os, sys; print(sys.argv[1:], os.environ['A'], open('shared.txt').read(), os.listdir('.'))"
    ran = graded(code, [{}, {"args": ["y"], "env": {"A": "2"}, "files": {"own.txt": ""}}], "--files",
                 str(tmp_path / "shared.txt"), "--env", "A=1", "--json")
    first, second = (case["output"] for case in json.loads(ran.out)["cases"])
    assert first.startswith("[] 1 shared") and "own.txt" not in first
    assert second.startswith("['y'] 2 shared") and "own.txt" in second


def test_standard_input_of_ours_is_not_read(graded):
    assert rows(graded("print(input())", [{"stdin": "own"}, {}], stdin=b"ours"))[1][1] == "exception"


def test_the_first_failure_stops_the_rest(graded):
    cases = [{"stdin": "1", "expected": {"stdout": "2"}}, {"stdin": "1", "expected": {"stdout": "3"}}, *[{"stdin": "1"}] * 20]
    ran = graded(DOUBLE, {"cases": cases, "stop": "first-failure"}, "--jobs", "1")
    assert [row[0] for row in rows(ran)] == ["yes", "no"] + ["-"] * 20
    assert rows(ran)[2] == ("-", "-", "not run to its end: case 1 failed")
    assert ran.stdout.endswith("1 of 22 correct, 1 failed, 20 not run\n") and ran.status == 1


@pytest.mark.parametrize("jobs", [1, 3])
def test_as_many_run_side_by_side_as_jobs_says(graded, jobs):
    code = "import time; print(time.monotonic()); time.sleep(0.3); print(time.monotonic())"
    answer = json.loads(graded(code, [{}] * 6, "--jobs", str(jobs), "--json").out)
    times = [tuple(map(float, case["stdout"].split())) for case in answer["cases"]]
    overlap = max(sum(begin <= at < end for begin, end in times) for at, _ in times)
    assert 1 <= overlap <= jobs and (overlap > 1) == (jobs > 1)


def test_many_cases_start_warm_where_the_policy_does(graded):
    answer = json.loads(graded(DOUBLE, [{"stdin": str(n), "expected": {"stdout": str(2 * n)}} for n in range(200)],
                               "--policy", "run", "--json").out)
    assert answer["passed"] == 200
    assert any(case["enforcement"]["start"] == "warm" for case in answer["cases"])


@pytest.mark.parametrize("kind, count", [("cold", 40), ("warm", 3)])
def test_all_cases_start_as_they_are_asked_to(graded, kind, count):
    cases = [{"stdin": str(n), "expected": {"stdout": str(2 * n)}} for n in range(count)]
    answer = json.loads(graded(DOUBLE, cases, "--policy", "run", "--start", kind, "--json").out)
    assert answer["passed"] == count
    assert {case["enforcement"]["start"] for case in answer["cases"]} == {kind}


def test_a_signal_ends_the_cases_that_run(graded, run, tmp_path):
    (tmp_path / "cases.json").write_text(json.dumps([{}] * 30))
    with subprocess.Popen(run.command("--cases", str(tmp_path / "cases.json"), "--jobs", "2", "--json",
                                      "-c", "import time; time.sleep(1000)"), stdout=subprocess.PIPE) as process:
        until(lambda: len(descendants(process.pid)) >= 2 or process.poll() is not None)
        process.send_signal(signal.SIGTERM)
        answer = json.loads(process.stdout.read())
    assert process.returncode == 128 + signal.SIGTERM
    assert {case["error"] for case in answer["cases"]} == {"interrupted by SIGTERM"}


HOSTILE = r"""
import sys
sys.stdout.buffer.write(b"\x00\x01\x1b[31m]]></failure>&<>\"'\xff\xfe \xef\xbf\xbf \xed\xa0\x80 \xc2\x9b31m \x7f")
sys.stderr.buffer.write(b"\x1b]0;title\x07 \x00")
sys.exit(3)"""


def test_junit_is_xml_whatever_a_script_writes(graded, tmp_path):
    names = ["<&\"'>]]>", "tab\there", "é\u202e\u009b"]
    ran = graded(HOSTILE, [{"name": name, "expected": {"stdout": "<&>\u0001"}} for name in names] + [{}],
                 "--junit", str(tmp_path / "out.xml"))
    suite = ElementTree.parse(tmp_path / "out.xml").getroot()
    assert suite.tag == "testsuite" and suite.get("tests") == "4" and suite.get("failures") == "4"
    assert [case.get("name") for case in suite] == [names[0], "tab here", names[2], "case 3"]
    assert "]]></failure>&<>\"'" in suite[0].find("system-out").text
    assert suite[0].find("failure").get("type") == "exit" and ran.status == 1
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f\x80-\x9f]", ran.stdout)


def test_junit_tells_what_failed_and_what_did_not_run(graded, tmp_path):
    graded(DOUBLE, {"cases": [*MIXED[:2], {"stdin": "1"}], "stop": "first-failure"}, "--jobs", "1",
           "--junit", str(tmp_path / "out.xml"))
    suite = ElementTree.parse(tmp_path / "out.xml").getroot()
    assert [[child.tag for child in case] for case in suite] == [[], ["failure", "system-out"], ["skipped"]]
    assert suite[1].find("failure").get("message") == 'line 1: expected "7", got "6"'
    assert {name: suite.get(name) for name in ("tests", "failures", "errors", "skipped")} == {
        "tests": "3", "failures": "1", "errors": "0", "skipped": "1"}


@pytest.mark.parametrize("cases,says", [
    ("", "JSON"), ("[", "this is not JSON"), ("[]", "1 to 1000 is allowed"), ('{"cases": [{}], "other": 1}', 'unknown key "other"'),
    ("{}", 'it has no "cases"'), ('[{"stdin": 1}]', '"cases[0].stdin" must be a string'),
    ('{"cases": [{}], "stop": "x"}', '"stop" must be "never" or "first-failure"'), ('[{"a": 1}]', "is unknown in a case"),
    ('[{}, {"files": {"../x": ""}}]', '"cases[1]"')])
def test_a_mistake_in_the_file_is_named(graded, cases, says):
    ran = graded("", cases)
    assert ran.status == 125 and says in ran.stderr and ran.out == b""


@pytest.mark.parametrize("words,says", [
    (["--junit", "x.xml", "-c", ""], "give --cases FILE"), (["--jobs", "2", "-c", ""], "give --cases FILE"),
    (["--cases", "x", "--meta", "y", "-c", ""], "--meta is for one run"),
    (["--cases", "x", "--collect", "y", "-c", ""], "--collect is for one run"),
    (["--cases", "/nowhere/x", "-c", ""], "can't read --cases /nowhere/x")])
def test_options_that_do_not_fit_are_refused(run, words, says):
    refused(run(*words), says)

"""POST /run with "notebook": the displays of a cell come in the answer, and through --via."""

import json
import subprocess

import pytest
from sandbox_run import BINARY

HOSTILE = """
import json, os
def send(bundle):
    data = json.dumps(bundle).encode()
    os.write(3, b"D%016x" % len(data) + data)
send({"text/plain": "x", "text/html\\n": "y"})
send({"text/plain": "x", "image/png": '"><script>'})
send({"text/plain": "x", "text/html": "</script><script>alert(1)</script>"})
"""


def test_the_answer_has_the_displays_in_their_order(server):
    answer = server.run("display(1)\nprint('printed')\n'last'", notebook=True)
    assert answer["display"] == [{"text/plain": "1"}, {"text/plain": "'last'"}]
    assert (answer["displays_left_out"], answer["stdout"], answer["verdict"]) == (0, "printed\n", "ok")


def test_without_notebook_nothing_is_displayed(server):
    for fields in ({}, {"notebook": False}):
        answer = server.run("1", **fields)
        assert (answer["display"], answer["displays_left_out"]) == ([], 0)


def test_notebook_is_true_or_false(server):
    answer = server.post("/run", {"code": "1", "notebook": 1})
    assert (answer.status, answer.field) == (400, "notebook") and "true or false" in answer.error
    answer = server.post("/run", {"module": "json", "notebook": True})
    assert (answer.status, answer.field) == (400, "notebook") and "module" in answer.error
    answer = server.post("/run_code", {"code": "1", "notebook": True})
    assert answer.status == 400 and "notebook" in answer.error


def test_limits_of_displays_hold_and_have_caps(server):
    answer = server.run("for i in range(9): display(i)", notebook=True, limits={"displays": 2})
    assert (len(answer["display"]), answer["displays_left_out"]) == (2, 7)
    answer = server.post("/run", {"code": "1", "notebook": True, "limits": {"displays": 100000}})
    assert (answer.status, answer.field) == (400, "limits.displays") and "200" in answer.error


def test_a_hostile_cell_falsifies_its_own_displays_only(server):
    answer = server.run(HOSTILE, notebook=True)
    assert answer["display"] == [{"text/plain": "x", "text/html": "</script><script>alert(1)</script>"}]
    assert (answer["displays_left_out"], answer["verdict"]) == (2, "ok")


def test_the_answer_keeps_what_was_displayed_before_a_timeout(server):
    answer = server.run("display(1)\nwhile True: pass", notebook=True, timeout=1)
    assert (answer["verdict"], answer["display"]) == ("timeout", [{"text/plain": "1"}])


@pytest.mark.parametrize("options", [(), ("--json",)])
def test_via_displays_as_a_local_run_does(server, options):
    code = "display({'text/plain': 'one', 'application/json': [1e300]}, raw=True)\n2"
    address = f"unix:{server.address}" if isinstance(server.address, str) else "http://{}:{}".format(*server.address)
    ran = subprocess.run([BINARY, "--via", address, "--policy", "run", "--notebook", *options, "-c", code],
                         capture_output=True, text=True)
    assert ran.returncode == 0, ran
    if options:
        verdict = json.loads(ran.stdout)
        assert verdict["display"] == [{"text/plain": "one", "application/json": [1e300]}, {"text/plain": "2"}]
        assert verdict["displays_left_out"] == 0
    else:
        assert ran.stdout == "one\n2\n"
        assert ran.stderr == "sandbox-run: not shown of the displays: application/json; --json prints them\n"


def test_via_prints_displays_in_order_with_output_whatever_their_types(server):
    address = f"unix:{server.address}" if isinstance(server.address, str) else "http://{}:{}".format(*server.address)
    code = ("for i in range(20):\n    print('line', i)\n"
            "    display({'text/plain': str(i), 'application/vnd.vegalite.v5+json': {}}, raw=True)")
    ran = subprocess.run([BINARY, "--via", address, "--policy", "run", "--notebook", "-c", code], capture_output=True, text=True)
    assert (ran.returncode, ran.stdout) == (0, "".join(f"line {i}\n{i}\n" for i in range(20))), ran

"""Options change a limit within its policy's cap, and the length of code is limited."""

import json

import pytest

pytestmark = pytest.mark.cold

MIB = 1 << 20


def test_code_chars_counts_characters_not_bytes(run):
    code = "#" + "é" * 89 + "\nprint(1)\n"
    assert len(code) == 100
    assert run("--code-chars", "100", "-", stdin=code).stdout == "1\n"
    for ran in (run("--code-chars", "99", "-", stdin=code),
                run("--code-chars", "99", run.script(code.encode())),
                run("--code-chars", "99", "-c", code)):
        assert ran.status == 125
        assert ran.out == b""
        assert "code_chars" in ran.stderr or "--code-chars" in ran.stderr
        assert "99" in ran.stderr


CAPPED = {  # key → option, limit and cap in the policy, values for the option: the cap, above it
    "wall_time_ms": ("--timeout", 2000, 5000, "5", "5.001"),
    "cpu_time_ms": ("--cpu-time", 2000, 5000, "5s", "6s"),
    "memory_bytes": ("--memory", 64 * MIB, 128 * MIB, "128M", "129M"),
    "cpus": ("--cpus", 0.5, 1, "1", "1.1"),
    "pids": ("--pids", 20, 30, "30", "31"),
    "output_bytes": ("--output", 1000, 2000, "2000", "2001"),
    "open_files": ("--open-files", 50, 60, "60", "61"),
    "tmp_bytes": ("--tmp", MIB, 2 * MIB, "2M", "3M"),
    "tmp_files": ("--tmp-files", 100, 200, "200", "201"),
    "code_chars": ("--code-chars", 1000, 2000, "2000", "2001"),
    "result_bytes": ("--result", 1000, 2000, "2000", "2001"),
    "displays": ("--displays", 10, 20, "20", "21"),
    "display_bytes": ("--display-size", 1000, 2000, "2000", "2001"),
    "collect_files": ("--collect-files", 10, 20, "20", "21"),
    "collect_bytes": ("--collect-bytes", 1000, 2000, "2000", "2001"),
}


@pytest.mark.parametrize("key", CAPPED)
def test_an_option_may_go_above_the_limit_up_to_the_cap(run, policy, key):
    option, limit, cap, allowed, above = CAPPED[key]
    path = policy(limits={key: limit}, caps={key: cap})
    ran = run("--policy", path, option, allowed, code="print('ran')")
    assert (ran.status, ran.stdout) == (0, "ran\n"), ran
    ran = run("--policy", path, option, above, code="print('ran')")
    assert (ran.status, ran.stdout) == (125, "")
    assert "cap" in ran.stderr and (key in ran.stderr or option in ran.stderr), ran.stderr


@pytest.mark.parametrize("key", CAPPED)
def test_without_a_cap_the_limit_is_the_cap(run, policy, default_policy, key):
    option, limit, _, _, above = CAPPED[key]
    caps = {name: value for name, value in default_policy["caps"].items() if name != key}
    path = policy(drop=["caps"], limits={key: limit})
    value = json.loads(path.read_text())
    value["caps"] = caps
    path.write_text(json.dumps(value))
    ran = run("--policy", path, option, above, code="print('ran')")
    assert (ran.status, ran.stdout) == (125, ""), ran
    assert "cap" in ran.stderr


def test_an_option_may_go_below_the_limit(run, policy):
    path = policy(limits={"wall_time_ms": 10000})
    ran = run("--policy", path, "--timeout", "1", json=True, code="import time; time.sleep(1000)")
    assert ran.verdict["error"] == "Execution timed out after 1 second"

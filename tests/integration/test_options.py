"""The options of sandbox-run(1): each does what the manual says, and a wrong one is refused by name."""

import hashlib
import json
import os
import re
import shutil
import socket
import subprocess

import pytest

from sandbox_run import refused

LIMIT_OPTIONS = {  # option → (a value that is allowed, one that is not)
    "--timeout": ("5", "soon"),
    "--cpu-time": ("5s", "-1"),
    "--memory": ("64M", "64 potatoes"),
    "--cpus": ("0.5", "none"),
    "--pids": ("20", "0"),
    "--output": ("1000", "-5"),
    "--open-files": ("50", "1e99"),
    "--tmp": ("1M", "1Z"),
    "--tmp-files": ("100", "x"),
    "--code-chars": ("10000", ""),
    "--result": ("1K", "K"),
}

@pytest.mark.cold
@pytest.mark.parametrize("option", LIMIT_OPTIONS)
def test_a_limit_option_takes_its_units(run, option):
    ran = run(option, LIMIT_OPTIONS[option][0], code="print('ran')")
    assert (ran.status, ran.out) == (0, b"ran\n"), ran


@pytest.mark.cold
@pytest.mark.parametrize("option", LIMIT_OPTIONS)
def test_a_wrong_value_is_refused_with_the_option_and_what_is_allowed(run, option):
    ran = run(option, LIMIT_OPTIONS[option][1], code="print('ran')")
    refused(ran, option)
    assert len(ran.stderr) > len(f"sandbox-run: {option}: ") + 10


@pytest.mark.cold
@pytest.mark.parametrize("option", [*LIMIT_OPTIONS, "--policy", "--files", "--env", "--call",
                                    "--rootfs", "--python", "--meta", "--cgroup", "--uid-range"])
def test_an_option_without_its_value_is_wrong_usage(run, option):
    refused(run(option), option)


@pytest.mark.cold
@pytest.mark.parametrize("option", [*LIMIT_OPTIONS])
def test_an_option_and_its_value_may_be_one_word(run, option):
    ran = run(f"{option}={LIMIT_OPTIONS[option][0]}", code="print('ran')")
    assert (ran.status, ran.out) == (0, b"ran\n"), ran


@pytest.mark.cold
def test_times_may_be_given_in_units(run):
    for text in ("500ms", "1.5", "1s"):
        ran = run("--timeout", text, code="import time; time.sleep(1000)")
        assert ran.status == 124, (text, ran)
    assert run("--timeout", "2m", code="pass").status == 0
    refused(run("--timeout", "60000m", code="pass"), "--timeout", "60000m")


@pytest.mark.cold
@pytest.mark.parametrize("options, said", [
    (["--rootfs", "/none"], "no root file system at /none: No such file or directory; make one with"),
    (["--rootfs", "/"], "rootfs.json): No such file or directory; make one: ")])
def test_the_remedy_comes_behind_the_reason(run, options, said):
    ran = run(*options, code="print(1)")
    assert ran.status == 125 and said in ran.stderr, ran


@pytest.mark.cold
def test_an_unknown_option_is_wrong_usage_and_points_to_help(run):
    refused(run("--no-such-option", code="print(1)"), "--no-such-option", "--help")


def test_env_sets_variables_of_the_script(run):
    ran = run("--env", "A=1", "--env", "B=two words", "--env", "C=", "--env", "D=x=y", "--env",
              "E=ü", "--env", "A=again", code="""
        import os, json
        print(json.dumps({name: os.environ.get(name) for name in "ABCDE"}))
        """)
    assert ran.value == {"A": "again", "B": "two words", "C": "", "D": "x=y", "E": "ü"}


def test_env_goes_before_the_policys_own(run, policy):
    path = policy(environment={"COLOUR": "red", "SIZE": "big"})
    ran = run("--policy", path, "--env", "COLOUR=blue", code="""
        import os
        print(os.environ["COLOUR"], os.environ["SIZE"])
        """)
    assert ran.stdout == "blue big\n"


@pytest.mark.cold
@pytest.mark.parametrize("value", ["NAME", "=x", ""])
def test_env_without_name_or_value_is_refused(run, value):
    refused(run("--env", value, code="print(1)"), "--env")


def test_files_puts_a_file_beside_the_script(run, tmp_path):
    data = bytes(range(256)) * 5000
    (tmp_path / "data.bin").write_bytes(data)
    (tmp_path / "helper.py").write_text("def f(): return 'from helper'")
    ran = run("--files", tmp_path / "data.bin", "--files", tmp_path / "helper.py", code="""
        import hashlib, os, helper
        print(helper.f(), os.path.abspath("data.bin"))
        print(hashlib.sha256(open("data.bin", "rb").read()).hexdigest())
        """)
    assert ran.stdout == f"from helper /work/data.bin\n{hashlib.sha256(data).hexdigest()}\n", ran


def test_files_puts_a_directory_with_what_is_in_it(run, tmp_path):
    tree = tmp_path / "tree"
    (tree / "package" / "deep").mkdir(parents=True)
    (tree / "package" / "__init__.py").write_text("name = 'package'")
    (tree / "package" / "deep" / "x.txt").write_text("deep")
    (tree / "top.txt").write_text("top")
    ran = run("--files", tree, code="""
        import os
        for directory, names, files in sorted(os.walk("/work")):
            print(directory, *sorted(files))
        """)
    assert ran.stdout.splitlines() == [
        "/work", "/work/tree top.txt", "/work/tree/package __init__.py",
        "/work/tree/package/deep x.txt"], ran


def test_files_of_the_current_directory_go_to_work_itself(run, tmp_path):
    here = tmp_path / "here"
    here.mkdir()
    (here / "x.txt").write_text("x")
    ran = run("--files", ".", code="import os; print(os.listdir('/work'))", cwd=here)
    assert ran.stdout == "['x.txt']\n"


@pytest.mark.parametrize("given", [".", "app.py", "../here/."])
def test_files_may_hold_the_script_itself(run, tmp_path, given):
    here = tmp_path / "here"
    here.mkdir()
    (here / "app.py").write_text("import data; print(__file__, data.answer)")
    (here / "data.py").write_text("answer = 42")
    more = ["--files", "data.py"] if given == "app.py" else []
    ran = run("--files", given, *more, "./app.py", cwd=here)
    assert ran.stdout == "/work/app.py 42\n", ran


def test_another_file_of_the_scripts_name_is_refused(run, tmp_path):
    (tmp_path / "app.py").write_text("print('the script')")
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "app.py").write_text("print('another')")
    refused(run("--files", "other/app.py", "app.py", cwd=tmp_path), "app.py")


def test_files_of_the_script_can_be_changed_and_the_hosts_stay_as_they_are(run, tmp_path):
    (tmp_path / "data.txt").write_text("before")
    ran = run("--files", tmp_path / "data.txt", code="""
        open("data.txt", "a").write(" and after")
        print(open("data.txt").read())
        """)
    assert ran.stdout == "before and after\n"
    assert (tmp_path / "data.txt").read_text() == "before"


@pytest.mark.cold
def test_files_that_are_missing_are_named(run):
    refused(run("--files", "no/such/file", code="print(1)"), "no/such/file")


@pytest.mark.cold
def test_files_that_are_devices_or_fifos_are_refused(run, tmp_path):
    os.mkfifo(tmp_path / "fifo")
    for path in (tmp_path / "fifo", "/dev/zero"):
        refused(run("--files", path, code="print(1)"), path)


def test_what_is_no_file_in_a_directory_of_files_is_left_out_and_said(run, tmp_path):
    tree = tmp_path / "tree"
    tree.mkdir()
    os.mkfifo(tree / "fifo")
    (tree / "link").symlink_to("/etc/passwd")
    (tree / "x.txt").write_text("x")
    ran = run("--files", tree, code="import os; print(os.listdir('tree'))")
    assert (ran.status, ran.stdout) == (0, "['x.txt']\n")
    assert len(ran.sentences) == 1 and "--files" in ran.sentences[0]


@pytest.mark.cold
def test_rootfs_names_the_root_file_system(run, tmp_path):
    refused(run("--rootfs", tmp_path / "none", code="print(1)"), tmp_path / "none")


@pytest.mark.cold
def test_rootfs_goes_before_the_environment(run):
    rootfs = os.environ.get("SANDBOX_ROOTFS", "/var/lib/sandbox-run/rootfs")
    ran = run("--rootfs", rootfs, code="print('ran')", env={"SANDBOX_ROOTFS": "/no/such"})
    assert (ran.status, ran.stdout) == (0, "ran\n")


def test_python_names_the_interpreter_in_the_root_file_system(run):
    python = run(code="import sys; print(sys.executable)").stdout.strip()
    ran = run("--python", python, code="import sys; print(sys.executable)")
    assert (ran.status, ran.stdout.strip()) == (0, python)
    refused(run("--python", "/no/such/python", code="print(1)"), "/no/such/python")


def test_json_is_written_with_its_line_end_at_once(run):
    """Where several write to one pipe, their lines must not mix. A socket for datagrams keeps writes apart."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
    with ours, theirs:
        subprocess.run(run.command("--json", code="pass"), stdout=theirs, check=True)
        line = ours.recv(1 << 16)
    assert line.endswith(b"}\n") and json.loads(line)["verdict"] == "ok"


def test_json_prints_the_verdict_on_one_line_and_nothing_else(run):
    ran = run(code="import sys; print('out'); print('err', file=sys.stderr); sys.exit(3)",
              json=True)
    assert ran.status == 3
    assert ran.stdout.count("\n") == 1 and ran.stdout.endswith("\n")
    assert (ran.verdict["stdout"], ran.verdict["stderr"]) == ("out\n", "err\n")
    assert ran.verdict["exit_code"] == 3
    assert ran.err == b""


def test_meta_writes_the_verdict_and_lets_the_output_through(run):
    ran = run(code="import sys; print('out'); print('err', file=sys.stderr); sys.exit(3)",
              meta=True)
    assert (ran.status, ran.stdout, ran.stderr) == (3, "out\n", "err\n")
    assert ran.meta["verdict"] == "exit" and ran.meta["exit_code"] == 3
    assert ran.meta["stdout"] is None and ran.meta["stderr"] is None


def test_meta_follows_no_link(run, tmp_path):
    (tmp_path / "victim").write_text("kept")
    (tmp_path / "link").symlink_to(tmp_path / "victim")
    refused(run("--meta", tmp_path / "link", code="print('ran')"), tmp_path / "link")
    assert (tmp_path / "victim").read_text() == "kept"
    refused(run("--meta", "/dev/null", code="print('ran')"), "/dev/null")


@pytest.mark.cold
def test_meta_is_empty_when_there_was_no_job(run, tmp_path):
    meta = tmp_path / "verdict.json"
    meta.write_text("of an earlier job")
    refused(run("--meta", meta, "--python", "/no/such", "--timeout", "0", code="print('ran')"))
    refused(run("--meta", meta, "--rootfs", tmp_path / "none", code="print('ran')"))
    assert meta.read_text() == ""


@pytest.mark.cold
def test_meta_that_cannot_be_written_is_refused_before_anything_runs(run, tmp_path):
    refused(run("--meta", tmp_path / "no" / "dir", code="print('ran')"), tmp_path / "no" / "dir")


@pytest.mark.cold
def test_quiet_leaves_out_our_own_sentence(run):
    code = "import time; time.sleep(1000)"
    loud = run("--timeout", "1", code=code)
    quiet = run("--timeout", "1", "--quiet", code=code)
    assert loud.status == quiet.status == 124
    assert len(loud.sentences) == 1
    assert quiet.err == b""


@pytest.mark.cold
def test_version_and_help_go_to_stdout(run):
    version = run("--version")
    assert version.status == 0 and re.search(r"\d+\.\d+", version.stdout) and not version.err
    usage = run("--help")
    assert usage.status == 0 and not usage.err
    for option in [*LIMIT_OPTIONS, "--policy", "--files", "--env", "--call", "--rootfs", "--python",
                   "--json", "--meta", "--quiet", "--best-effort", "--doctor", "--list-policies",
                   "--print-policy", "--version", "--help", "--cgroup", "--uid-range",
                   "--selftest"]:
        assert option in usage.stdout, option


@pytest.mark.cold
@pytest.mark.parametrize("options, outcomes", [
    (["--cgroup", "none", "--best-effort"], {"memory": "SKIPPED", "cpu": "SKIPPED", "other": "BREACH"}),
    ([], {"memory": "BREACH", "cpu": "BREACH", "other": "BREACH"}),
], ids=["best effort", "enforced"])
def test_the_selftest_skips_what_a_limit_would_stop_that_is_not_enforced(run, tmp_path, options, outcomes):
    if not options and "cgroup" in run("-c", "").stderr:
        pytest.skip("no cgroup here, so nothing is enforced")
    (tmp_path / "hostile.py").write_text("")
    for name, header in {"memory": "expect: memory", "cpu": "expect: CONTAINED\n# limits: --cpus 0.5 --memory 64M",
                         "other": "expect: CONTAINED\n# limits: --memory 64M"}.items():
        (tmp_path / f"{name}.py").write_text(f"# attack: {name}\n# {header}\nprint('BREACH: {name}')\n")
    ran = run(*options, "--selftest", env={"SANDBOX_ATTACKS": str(tmp_path)})
    assert {name: word for word, name in re.findall(r"^([A-Z]+) +(\w+): ", ran.stdout, re.M)} == outcomes, ran
    assert ("the limit is not enforced on this host: memory" in ran.stdout) == bool(options) and ran.status == 1


@pytest.mark.cold
@pytest.mark.parametrize("limits, code, outcome", [
    ("--collect-glob **", "open('x', 'w').write('root:x:0')", "BREACH"),
    ("--collect-glob **", "open('x', 'w').write('CONT')", "BREACH"),
    ("--collect-glob **", "open('BREACH', 'w')", "BREACH"),
    ("--collect-glob **", "open('x', 'w').write('CONTAINED'); open('empty', 'w')", "CONTAINED"),
    ("--collect-glob *.y", "open('x', 'w').write('root:x:0')", "CONTAINED"),
    ("--notebook", "display('BREACH')", "BREACH"),
    ("--notebook", "display('x')", "CONTAINED"),
])
def test_the_selftest_judges_files_and_displays_that_come_back(run, tmp_path, limits, code, outcome):
    (tmp_path / "hostile.py").write_text("")
    (tmp_path / "one.py").write_text(f"# attack: a\n# expect: CONTAINED\n# limits: {limits}\n{code}\nprint('CONTAINED: x')\n")
    ran = run("--selftest", env={"SANDBOX_ATTACKS": str(tmp_path)})
    assert ran.stdout.split()[0] == outcome and ran.status == (outcome == "BREACH"), ran


@pytest.mark.parametrize("options", [["--selftest", "--help"], ["--help", "--doctor"]])
def test_help_is_given_whatever_else_is_asked(run, options):
    assert run(*options).stdout == run("--help").stdout


@pytest.mark.cold
def test_list_policies_names_each_policy_file(run):
    ran = run("--list-policies")
    assert ran.status == 0
    names = [line.split()[0] for line in ran.stdout.splitlines() if line.strip()]
    directory = os.environ.get("SANDBOX_POLICIES", "/usr/share/sandbox-run/policies")
    files = sorted(name[:-5] for name in os.listdir(directory) if name.endswith(".json"))
    assert names == files and "default" in names


@pytest.mark.cold
def test_list_policies_says_the_same_in_json(run):
    ran, listed = run("--list-policies"), run("--list-policies", "--json")
    assert listed.status == 0 and listed.stdout.count("\n") == 1
    policies = json.loads(listed.stdout)
    assert [f"{each['name']} {each['description']}" for each in policies] == \
        [re.sub(" +", " ", line, count=1) for line in ran.stdout.splitlines()]
    for each in policies:
        assert set(each) == {"name", "description", "limits"}
        assert each["limits"] == json.loads(run("--print-policy", "--policy", each["name"]).stdout)["limits"]


@pytest.mark.cold
def test_list_policies_tells_of_one_that_it_can_not_read_and_lists_the_others(run, tmp_path):
    policies = os.environ.get("SANDBOX_POLICIES", "/usr/share/sandbox-run/policies")
    shutil.copytree(policies, tmp_path / "policies")
    (tmp_path / "policies/broken.json").write_text("{")
    ran = run("--list-policies", "--json", env={"SANDBOX_POLICIES": str(tmp_path / "policies")})
    assert ran.status == 125 and "broken.json" in ran.stderr
    assert "default" in {each["name"] for each in json.loads(ran.stdout)}


@pytest.mark.cold
@pytest.mark.parametrize("option, said", [
    ("--tiemout", "there is no option --tiemout, but there is --timeout"),
    ("--tiemout=3", "there is no option --tiemout, but there is --timeout"),
    ("--me", "--me is short for --merge-stderr, --meta, --memory, --memory-floor: write out the one that you mean"),
    ("--nonsense", "there is no option --nonsense"),
])
def test_an_option_that_is_misspelt_or_too_short_is_told_what_there_is(run, option, said):
    ran = run(option, code="print(1)")
    assert ran.status == 125 and ran.stderr == f"sandbox-run: {said}; see sandbox-run --help\n"


@pytest.mark.cold
def test_print_policy_shows_every_key_with_the_value_in_force(run):
    printed = json.loads(run("--print-policy").stdout)
    assert set(printed["limits"]) == {
        "wall_time_ms", "cpu_time_ms", "memory_bytes", "cpus", "pids", "output_bytes",
        "open_files", "tmp_bytes", "tmp_files", "code_chars", "result_bytes", "displays", "display_bytes",
        "collect_files", "collect_bytes"}
    for key in ("description", "caps", "environment", "mounts", "seccomp", "writable", "loopback",
                "proc", "output", "enforcement", "start", "preload"):
        assert key in printed, key


@pytest.mark.cold
def test_a_printed_policy_is_a_policy(run, tmp_path):
    path = tmp_path / "printed.json"
    path.write_text(run("--policy", "default", "--print-policy").stdout)
    ran = run("--policy", path, code="print('ran')")
    assert (ran.status, ran.stdout) == (0, "ran\n"), ran


@pytest.mark.cold
def test_cgroup_none_is_for_best_effort_alone(run):
    refused(run("--cgroup", "none", code="print(1)"), "--best-effort")
    ran = run("--cgroup", "none", "--best-effort", json=True, code="print(1)")
    assert ran.status == 0
    assert ran.verdict["enforcement"]["cgroup"] == "none"
    assert ran.verdict["enforcement"]["missing"]


@pytest.mark.cold
def test_an_unknown_kind_of_cgroup_is_refused_with_those_that_there_are(run):
    refused(run("--cgroup", "v3", code="print(1)"), "--cgroup", "v2-delegated", "v1", "none")


@pytest.mark.cold
@pytest.mark.parametrize("value", ["x", "1000", "0:10", "1:0", "4294967295:2", "-5:10"])
def test_a_wrong_range_of_uids_is_refused(run, value):
    refused(run("--uid-range", value, code="print(1)"), "--uid-range")

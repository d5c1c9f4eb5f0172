"""sandbox-run(1): forms of the command line, options, streams, statuses, signals, terminals."""

import fcntl
import json
import os
import pty
import re
import shutil
import signal
import socket
import subprocess
import sys
import termios

import pytest

from processes import descendants
from sandbox_run import SANITIZE
from waiting import until

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


# ── Scripts and code ─────────────────────────────────────────────────────────────────────────────


def test_a_script_runs_as_python3_would_run_it(run):
    script = run.script("""
        import sys
        print("to stdout")
        print("to stderr", file=sys.stderr)
        print(__name__, sys.version_info[:2] >= (3, 8))
        sys.exit(7)
        """)
    ran = run(script)
    assert (ran.status, ran.stdout) == (7, "to stdout\n__main__ True\n")
    assert ran.stderr == "to stderr\n"


def test_nothing_is_added_to_the_output_of_a_script_that_succeeds(run):
    ran = run(code="print('x', end='')")
    assert (ran.status, ran.out, ran.err) == (0, b"x", b"")


def test_arguments_reach_the_script_as_they_were_given(run):
    args = ["", "two words", "--json", "-c", "é", "*", "$HOME", "--", "-", "a\nb"]
    ran = run(run.script("import sys, json; print(json.dumps(sys.argv[1:]))"), args=args)
    assert ran.value == args


def test_options_end_at_the_script(run):
    ran = run("--quiet", run.script("import sys; print(sys.argv[1:])"), "--json", "--timeout", "0")
    assert (ran.status, ran.stdout) == (0, "['--json', '--timeout', '0']\n")


def test_two_dashes_end_the_options(run):
    run.script("import sys; print(sys.argv)", "-c.py")
    ran = run("--", "-c.py", "--help", cwd=run.script("", "x.py").parent)
    assert (ran.status, ran.stdout) == (0, "['-c.py', '--help']\n")


def test_argv0_is_the_name_that_the_user_gave(run):
    script = run.script("import sys; print(sys.argv[0])", "deep/er/script.py")
    top = script.parent.parent.parent
    for name in ("deep/er/script.py", "./deep/er/script.py", "deep/../deep/er/script.py", script):
        assert run(name, cwd=top).stdout == f"{name}\n"


def test_the_script_is_in_work_under_its_own_name(run):
    script = run.script("""
        import os, sys
        print(os.path.abspath(__file__), os.getcwd(), os.listdir("/work"), sys.path[0])
        """, "some dir/my script.py")
    assert run(script).stdout == "/work/my script.py /work ['my script.py'] /work\n"


@pytest.mark.parametrize("name", ["script.py", "no-suffix", "two words.py", "ünï.py", "-dash.py",
                                  "new\nline.py", "runner.py", "json.py"])
def test_a_script_may_have_any_name(run, name):
    script = run.script("import math; print('ran', __name__)", name)
    assert run(script).stdout == "ran __main__\n"


def test_a_link_to_a_script_is_followed(run):
    script = run.script("print('ran')")
    link = script.with_name("link.py")
    link.symlink_to(script)
    assert run(link).stdout == "ran\n"


def test_code_on_the_command_line_is_called_string(run):
    ran = run("-c", "import sys\nprint(sys.argv, __name__)\n1/0", "-x", "--json")
    assert ran.status == 1
    assert ran.stdout == "['-c', '-x', '--json'] __main__\n"
    assert 'File "<string>", line 3, in <module>' in ran.stderr


@pytest.mark.parametrize("form", [["-"], []], ids=["dash", "nothing"])
def test_code_is_read_from_stdin(run, form):
    ran = run(*form, stdin="import sys\nprint(sys.argv[0], repr(sys.stdin.read()))\n1/0\n")
    assert ran.status == 1
    assert ran.stdout == "- ''\n"
    assert 'File "<stdin>", line 3, in <module>' in ran.stderr


def test_arguments_may_follow_the_dash(run):
    ran = run("-", "a", "--json", "-c", stdin="import sys; print(sys.argv)")
    assert ran.stdout == "['-', 'a', '--json', '-c']\n"


def test_code_runs_in_a_real_main_module(run):
    ran = run(code="""
        import sys, pickle
        class Thing: pass
        assert sys.modules["__main__"].Thing is Thing
        print(type(pickle.loads(pickle.dumps(Thing()))).__module__)
        print(sorted(n for n in globals() if n.startswith("__")))
        """)
    assert ran.status == 0, ran
    assert ran.stdout.splitlines()[0] == "__main__"
    outside = subprocess.run([sys.executable, "-c",
                              "print(sorted(n for n in globals() if n.startswith('__')))"],
                             capture_output=True, text=True, check=True).stdout
    assert ran.stdout.splitlines()[1] == outside.strip()


def test_future_statements_of_the_runner_do_not_reach_the_script(run):
    ran = run(code="""
        def f(x: int): pass
        print(f.__annotations__)
        assert 1, "not optimised"
        try:
            assert 0
        except AssertionError:
            print("asserts hold")
        """)
    assert ran.stdout == "{'x': <class 'int'>}\nasserts hold\n"


# ── Tracebacks ───────────────────────────────────────────────────────────────────────────────────


def test_a_traceback_names_the_script_as_the_user_did_and_shows_its_lines(run):
    script = run.script("""
        def inner():
            return {}["missing"]  # the line

        inner()
        """, "dir/script.py")
    for name in ("dir/script.py", "./dir/script.py", str(script)):
        ran = run(name, cwd=script.parent.parent)
        assert ran.status == 1
        assert ran.stderr.startswith("Traceback (most recent call last):\n")
        assert f'  File "{name}", line 4, in <module>\n    inner()\n' in ran.stderr
        assert f'  File "{name}", line 2, in inner\n    return {{}}["missing"]' in ran.stderr
        assert ran.stderr.splitlines()[-1] == "KeyError: 'missing'"


def test_a_traceback_is_the_same_as_outside(run):
    script = run.script("""
        def inner(x):
            raise ValueError("of x") from KeyError(x)

        try:
            inner(1)
        except ValueError:
            inner(2)
        """)
    outside = subprocess.run(["/usr/bin/python3", script], capture_output=True, text=True)
    inside = run(script)
    # Versions of Python differ in the marks below a line, not in the lines.
    plain = re.compile(r"^\s*[\^~]+\n", re.M)
    assert plain.sub("", inside.stderr) == plain.sub("", outside.stderr)
    assert inside.status == outside.returncode == 1


def test_the_traceback_module_finds_the_lines_of_the_script_too(run):
    script = run.script("""
        import traceback
        try:
            1 / 0  # in the script
        except ZeroDivisionError:
            print(traceback.format_exc())
        """, "some/where.py")
    ran = run("some/where.py", cwd=script.parent.parent)
    assert 'File "some/where.py", line 3, in <module>\n    1 / 0  # in the script' in ran.stdout


def test_a_traceback_does_not_show_the_runner(run):
    ran = run(code="raise RuntimeError('x')")
    assert "runner" not in ran.stderr
    assert ran.stderr.count("File ") == 1


def test_a_syntax_error_names_file_and_line(run):
    script = run.script("x = 1\nprint('a'\n", "broken.py")
    ran = run("broken.py", cwd=script.parent)
    assert ran.status == 1
    assert '  File "broken.py", line 2\n' in ran.stderr
    assert "SyntaxError" in ran.stderr.splitlines()[-1]
    assert "runner" not in ran.stderr


# ── Scripts that cannot be read ──────────────────────────────────────────────────────────────────


def refused(ran, *words):
    """Exit status 125, nothing run, and one sentence with these words."""
    assert ran.status == 125, ran
    assert ran.stdout == ""
    assert len(ran.sentences) == 1, ran
    for word in words:
        assert str(word) in ran.stderr, (word, ran.stderr)


def test_a_missing_script_is_named(run):
    refused(run("no/such.py"), "no/such.py", "No such file")


def test_a_directory_is_not_a_script(run, tmp_path):
    refused(run(tmp_path), tmp_path, "directory")


def test_an_endless_device_is_not_a_script(run):
    refused(run("/dev/zero"), "/dev/zero")


def test_a_script_may_be_a_pipe(run):
    shell = ["bash", "-c", '"$@" <(echo "print(6 * 7)"); status=$?; wait; exit $status', "bash"]
    ran = run(prefix=shell)
    assert (ran.status, ran.stdout) == (0, "42\n"), ran


def test_a_fifo_is_read_when_somebody_writes_to_it(run, tmp_path):
    os.mkfifo(tmp_path / "fifo.py")
    started = run.start(tmp_path / "fifo.py")
    (tmp_path / "fifo.py").write_text("print('ran')")  # waits for the reader
    ran = started.finish()
    assert (ran.status, ran.stdout) == (0, "ran\n")


def test_waiting_for_a_fifo_that_nobody_writes_to_can_be_interrupted(run, tmp_path):
    os.mkfifo(tmp_path / "fifo.py")
    started = run.start(tmp_path / "fifo.py")
    writer = os.open(tmp_path / "fifo.py", os.O_WRONLY)  # returns when the reader is there
    started.signal(signal.SIGINT)
    assert started.finish().status in (130, -signal.SIGINT)
    os.close(writer)


@pytest.mark.vm("delegated")
def test_an_unreadable_script_is_named(run, host):
    if host.root:
        pytest.skip("root can read every file")
    script = run.script("print(1)")
    script.chmod(0)
    refused(run(script), script, "Permission denied")


def test_code_with_a_nul_byte_is_refused(run):
    refused(run(run.script(b"print(1)\n\0print(2)\n")), "NUL")
    refused(run("-", stdin=b"print(1)\n\0"), "NUL")


def test_a_byte_order_mark_does_no_harm(run):
    assert run(run.script(b"\xef\xbb\xbfprint('ran')\n")).stdout == "ran\n"


def test_windows_line_ends_do_no_harm(run):
    assert run(run.script(b"if 1:\r\n    print('ran')\r\n")).stdout == "ran\n"


def test_empty_code_succeeds(run):
    for ran in (run(run.script(b"")), run("-", stdin=b""), run("-c", "")):
        assert (ran.status, ran.out, ran.err) == (0, b"", b"")


# ── Options ──────────────────────────────────────────────────────────────────────────────────────


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
    import hashlib
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
        "open_files", "tmp_bytes", "tmp_files", "code_chars", "result_bytes"}
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


# ── Streams ──────────────────────────────────────────────────────────────────────────────────────


def test_output_streams_live_on_both_streams_and_stdin_too(run):
    started = run.start(code="""
        import sys
        for line in sys.stdin:
            print("out", line, end="", flush=True)
            print("err", line, end="", file=sys.stderr, flush=True)
        print("end")
        """)
    for word in ("one", "two", "three"):  # each answer comes before the next question is asked
        started.write(word + "\n")
        started.expect(f"out {word}")
        started.expect(f"err {word}", "stderr")
    ran = started.finish()
    assert (ran.status, ran.stdout, ran.stderr) == (0, "end\n", "")


def test_bytes_pass_through_unchanged(run):
    data = bytes(range(256)) * 4000
    ran = run(code="""
        import sys, shutil
        data = sys.stdin.buffer.read()
        sys.stdout.buffer.write(data)
        sys.stderr.buffer.write(data[::-1])
        """, stdin=data)
    assert ran.status == 0
    assert ran.out == data
    assert ran.err == data[::-1]


def test_the_script_sees_the_end_of_stdin(run):
    for stdin in (b"", subprocess.DEVNULL):
        assert run(code="import sys; print(sys.stdin.read() == '')", stdin=stdin).stdout == "True\n"


def test_stdin_may_be_a_file(run, tmp_path):
    (tmp_path / "input").write_bytes(b"line\n" * 100000)
    with open(tmp_path / "input", "rb") as file:
        ran = run(code="import sys; print(len(sys.stdin.read()))", stdin=file)
    assert ran.stdout == "500000\n"


def test_a_file_as_stdin_is_not_handed_into_the_sandbox(run, tmp_path):
    (tmp_path / "secret-name").write_bytes(b"first\nsecond\n")
    with open(tmp_path / "secret-name", "r+b") as file:
        ran = run(code="""
            import os, stat
            print(stat.S_ISREG(os.fstat(0).st_mode), os.readlink("/proc/self/fd/0").split(":")[0])
            try:
                os.write(0, b"scribbled")
            except OSError as error:
                print(type(error).__name__, error.errno)
            """, stdin=file)
    assert ran.stdout.splitlines()[0] in ("False pipe", "False socket")
    assert (tmp_path / "secret-name").read_bytes() == b"first\nsecond\n"


def test_stdin_that_nobody_reads_holds_nothing_up(run):
    ran = run(code="print('done')", stdin=b"x" * 5_000_000)
    assert (ran.status, ran.stdout) == (0, "done\n")


def test_stdin_that_stays_open_holds_nothing_up(run):
    started = run.start(code="print('done')")
    started.expect("done")
    assert started.process.wait() == 0  # with its stdin still open


def test_a_script_that_closes_its_stdin_holds_nothing_up(run):
    ran = run(code="""
        import os
        os.close(0)
        print("closed", flush=True)
        """, stdin=b"x" * 5_000_000)
    assert (ran.status, ran.stdout) == (0, "closed\n")


def test_a_script_may_close_its_streams(run):
    ran = run(code="import os; os.close(1); os.close(2); os._exit(5)")
    assert (ran.status, ran.out) == (5, b"")


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
def test_it_runs_with_its_own_streams_closed(run, tmp_path, closed):
    # A descriptor that we open must not become stdout by accident: the files stay clean.
    meta = tmp_path / "meta"
    command = run.command(meta=meta, code="""
        import os, stat, sys
        kinds = [stat.S_IFMT(os.fstat(fd).st_mode) for fd in range(3)]
        assert all(stat.S_ISFIFO(kind) or stat.S_ISSOCK(kind) for kind in kinds), kinds
        sys.stdin.read()
        os.write(1, b"to stdout")
        os.write(2, b"to stderr")
        """)
    shell = subprocess.run(["sh", "-c", f'"$@" {closed}', "sh", *command], capture_output=True,
                           stdin=subprocess.DEVNULL)
    verdict = json.loads(meta.read_text())  # the file holds the verdict and nothing else
    if closed == "<&-":
        assert (shell.returncode, verdict["verdict"]) == (0, "ok")
        assert (shell.stdout, shell.stderr) == (b"to stdout", b"to stderr")
    else:
        assert shell.returncode in (0, 141), shell
        assert shell.stdout in (b"", b"to stdout")


@pytest.mark.parametrize("asked", [["--json", "-c", "print(1)"], ["--version"], ["--help"], ["--list-policies"], ["--print-policy"]],
                         ids=lambda asked: asked[0])
def test_what_is_to_be_printed_on_a_closed_stdout_is_an_error(run, asked):
    ran = subprocess.run(["sh", "-c", '"$@" >&-', "sh", run.binary, *asked], capture_output=True, text=True)
    assert ran.returncode == 125, ran
    assert ran.stderr == ("sandbox-run: standard output is closed, and what was asked for is written to it: open it "
                          "(>FILE)\n")


@pytest.mark.skipif(bool(SANITIZE), reason="a sanitizer refuses to run so before")
@pytest.mark.parametrize("bit", ["u+s", "g+s"])
def test_a_copy_that_has_the_rights_of_its_owner_or_group_refuses_to_run(run, host, bit):
    host.skip_unless_root("to give a file away")
    copy = run.new_path("")
    shutil.copy(run.binary, copy)
    os.chown(copy, 12345, 12345)
    subprocess.run(["chmod", bit, copy], check=True)
    ran = subprocess.run([copy, "-c", "print(1)"], capture_output=True, text=True)
    assert (ran.returncode, ran.stdout) == (125, ""), ran
    assert ran.stderr == ("sandbox-run: does not run with the rights of its file's owner or group, which whoever calls it "
                          "would have: take them away (chmod ug-s)\n")



@pytest.mark.parametrize("sigpipe", ["default", "ignored"])
def test_a_closed_stdout_ends_the_job_with_141(run, sigpipe):
    started = run.start(code="""
        print("first", flush=True)
        while True:
            print("more" * 1000)
        """, meta=True, restore_signals=sigpipe == "default")
    started.expect("first")
    started.process.stdout.close()
    assert started.process.wait() == 141
    meta = json.loads(started._meta.read_text())
    assert (meta["verdict"], meta["signal"]) == ("signal", "SIGPIPE")


def test_a_full_disk_behind_stdout_is_said(run):
    with open("/dev/full", "wb") as full:
        ran = run(code="print('x' * 100000)", stdout=full)
    assert ran.status == 125
    assert "No space left" in ran.stderr


def test_a_reader_that_pauses_loses_nothing(run):
    started = run.start(code="""
        for i in range(100000):
            print(i)
        """)
    started.expect("0")
    # The pipes are full now, or will be: everything still comes, in order.
    ran = started.finish()
    assert ran.status == 0
    assert ran.stdout.split() == [str(i) for i in range(1, 100000)]


def test_the_flags_of_streams_that_others_share_stay_as_they_were(run):
    # O_NONBLOCK belongs to the open file, which the caller's other programs use as well.
    pipes = [os.pipe() for _ in range(3)]
    ends = [pipes[0][0], pipes[1][1], pipes[2][1]]
    before = [fcntl.fcntl(fd, fcntl.F_GETFL) for fd in ends]
    started = run.start(stdin=ends[0], stdout=ends[1], stderr=ends[2],
                        code="import sys; print(input(), flush=True); print('x', file=sys.stderr)")
    os.write(pipes[0][1], b"a line\n")
    assert os.read(pipes[1][0], 100) == b"a line\n"
    during = [fcntl.fcntl(fd, fcntl.F_GETFL) for fd in ends]
    assert started.process.wait() == 0
    after = [fcntl.fcntl(fd, fcntl.F_GETFL) for fd in ends]
    for fd in (fd for pair in pipes for fd in pair):
        os.close(fd)
    assert before == during == after


# ── Exit statuses ────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("code,status", [
    ("pass", 0),
    ("import sys; sys.exit()", 0),
    ("import sys; sys.exit(0)", 0),
    ("import sys; sys.exit(None)", 0),
    ("import sys; sys.exit(1)", 1),
    ("import sys; sys.exit(77)", 77),
    ("import sys; sys.exit(256 + 44)", 44),
    ("import sys; sys.exit(-1)", 255),
    ("raise SystemExit(9)", 9),
    ("import os; os._exit(8)", 8),
    ("1/0", 1),
    ("raise KeyboardInterrupt", 130),
    ("import os, signal; os.kill(os.getpid(), signal.SIGTERM)", 143),
    ("import os, signal; os.kill(os.getpid(), signal.SIGKILL)", 137),
    ("import os; os.abort()", 134),
])
def test_the_exit_status_is_the_scripts_own(run, code, status):
    assert run(code=code).status == status


def test_an_exit_with_a_message_prints_it_and_is_1(run):
    ran = run(code="import sys; sys.exit('the message')")
    assert (ran.status, ran.stderr) == (1, "the message\n")


@pytest.mark.cold
@pytest.mark.parametrize("options,code,status,words", [
    (["--timeout", "1"], "import time; time.sleep(1000)", 124, "timed out"),
    (["--cpu-time", "1", "--timeout", "600"], "while True: pass", 124, "CPU time"),
    (["--memory", "64M"], "x = bytearray(1 << 30)", 137, "memory limit"),
    ([], "import os; os.abort()", 134, "SIGABRT"),
])
def test_one_sentence_says_why_a_job_was_ended(run, options, code, status, words):
    ran = run(*options, code=code)
    assert ran.status == status
    assert len(ran.sentences) == 1 and words in ran.sentences[0], ran.stderr


def test_an_exit_status_of_the_script_gets_no_sentence(run):
    for code in ("import sys; sys.exit(124)", "import sys; sys.exit(137)", "1/0"):
        assert not run(code=code).sentences


# ── Signals ──────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT"])
def test_a_signal_ends_the_job_and_is_reported(run, name):
    number = getattr(signal, name)
    started = run.start(meta=True, code="""
        import signal, time
        for number in range(1, 32):  # nothing that the script does keeps it alive
            try:
                signal.signal(number, signal.SIG_IGN)
            except OSError:
                pass
        print("ready", flush=True)
        time.sleep(1000)
        """)
    started.expect("ready")
    job = descendants(started.pid)
    assert job
    started.signal(number)
    ran = started.finish()
    assert ran.status == 128 + number
    assert (ran.meta["verdict"], ran.meta["signal"]) == ("signal", name)
    assert len(ran.sentences) == 1 and name in ran.sentences[0]
    assert not [pid for pid in job if os.path.exists(f"/proc/{pid}")]


def test_a_signal_before_the_script_begins_ends_the_job_too(run):
    for _ in range(20):
        started = run.start(code="import time; time.sleep(1000)")
        started.signal(signal.SIGTERM)
        # Before its main has begun, a signal ends sandbox-run itself: that is 143 to a shell.
        assert started.finish().status in (143, -signal.SIGTERM)


def test_a_second_signal_changes_nothing(run):
    started = run.start(code="print('ready', flush=True); import time; time.sleep(1000)")
    started.expect("ready")
    for _ in range(3):
        started.signal(signal.SIGINT)
    assert started.finish().status == 130


def test_signals_that_the_caller_ignores_stay_ignored(run):
    # nohup(1) ignores SIGHUP, a shell's background job without job control SIGINT.
    def ignore():
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
        signal.signal(signal.SIGINT, signal.SIG_IGN)

    started = run.start(preexec_fn=ignore, code="""
        import sys
        print("ready", flush=True)
        sys.stdin.read()
        print("end")
        """)
    started.expect("ready")
    started.signal(signal.SIGHUP)
    started.signal(signal.SIGINT)
    ran = started.finish()
    assert (ran.status, ran.stdout) == (0, "end\n")


# ── Terminals ────────────────────────────────────────────────────────────────────────────────────


class Terminal:
    """sandbox-run in a session of its own on a terminal of its own, as a shell would start it."""

    def __init__(self, command):
        self.pid, self.master = pty.fork()
        if self.pid == 0:
            try:
                os.execv(command[0], command)
            finally:
                os._exit(99)
        attributes = termios.tcgetattr(self.master)
        attributes[1] &= ~termios.OPOST
        termios.tcsetattr(self.master, termios.TCSANOW, attributes)
        self.seen = ""

    def wait_for(self, text):
        while text not in self.seen:
            try:
                part = os.read(self.master, 65536)
            except OSError:  # EIO: the other end is closed
                part = b""
            assert part, f"ended without {text!r}: {self.seen!r}"
            self.seen += part.decode("utf-8", "replace")

    def rest(self):
        try:
            while part := os.read(self.master, 65536):
                self.seen += part.decode("utf-8", "replace")
        except OSError:
            pass
        return self.seen

    def status(self):
        return os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])


@pytest.fixture
def terminal(run):
    terminals = []

    def start(**keywords):
        terminals.append(Terminal(run.command(**keywords)))
        return terminals[-1]

    yield start
    for each in terminals:
        os.close(each.master)


def test_no_terminal_is_inside_the_sandbox(terminal):
    on_tty = terminal(code="""
        import os, fcntl, termios
        print("isatty", [os.isatty(fd) for fd in range(3)])
        for path in ("/dev/tty", "/dev/console", "/dev/pts/0", "/dev/ptmx", "/dev/tty0"):
            try:
                os.open(path, os.O_RDWR | os.O_NOCTTY)
                print("opened", path)
            except OSError as error:
                pass
        print("tty_nr", open("/proc/self/stat").read().rpartition(")")[2].split()[4])
        for fd in range(3):
            try:
                fcntl.ioctl(fd, termios.TIOCSTI, b"x")
                print("pushed a character")
            except OSError:
                pass
        print("end")
        """)
    seen = on_tty.rest()
    assert on_tty.status() == 0, seen
    assert seen.split("\n") == ["isatty [False, False, False]", "tty_nr 0", "end", ""]


def test_ctrl_c_ends_the_job(terminal):
    on_tty = terminal(code="""
        import time
        print("ready", flush=True)
        try:
            time.sleep(1000)
        except KeyboardInterrupt:
            print("the script got it")
        """)
    on_tty.wait_for("ready")
    os.write(on_tty.master, b"\x03")
    seen = on_tty.rest()
    assert on_tty.status() == 130, seen
    assert "SIGINT" in seen and "the script got it" not in seen


def test_ctrl_z_does_not_stop_the_clocks(terminal):
    on_tty = terminal(code="""
        print("ready", flush=True)
        print("got", input(), flush=True)
        """)
    on_tty.wait_for("ready")
    os.write(on_tty.master, b"\x1a")
    os.write(on_tty.master, b"a line\n")
    on_tty.wait_for("got a line")
    on_tty.rest()
    assert on_tty.status() == 0


def test_ctrl_d_ends_the_input(terminal):
    on_tty = terminal(code="import sys; print('ready', flush=True); print(sys.stdin.read())")
    on_tty.wait_for("ready")
    os.write(on_tty.master, b"typed\n\x04")
    seen = on_tty.rest()
    assert on_tty.status() == 0
    assert seen.count("typed") == 2  # the echo, and what the script printed


def test_a_terminal_that_goes_away_ends_the_job(run):
    on_tty = Terminal(run.command(code="print('ready', flush=True); import time; time.sleep(1000)"))
    on_tty.wait_for("ready")
    os.close(on_tty.master)
    assert on_tty.status() in (128 + signal.SIGHUP, 141)


def test_the_terminal_is_left_as_it_was(run):
    on_tty = Terminal(run.command(code="print('ready', flush=True)"))
    before = termios.tcgetattr(on_tty.master)
    on_tty.wait_for("ready")
    assert termios.tcgetattr(on_tty.master) == before
    on_tty.rest()
    assert on_tty.status() == 0
    os.close(on_tty.master)


def test_a_job_in_the_background_of_a_terminal_is_not_stopped(run):
    # Whoever reads from a terminal in its background is stopped by SIGTTIN; the script never asked.
    shell = ("set -m; trap '' TTOU; \"$@\" & wait; jobs -l; echo all done")
    command = ["/bin/bash", "-c", shell, "bash",
               *run.command(code="print('ran in the background')")]
    on_tty = Terminal(command)
    on_tty.wait_for("all done")
    assert "ran in the background" in on_tty.seen
    assert "Stopped" not in on_tty.seen
    os.close(on_tty.master)
    on_tty.status()
    until(lambda: not descendants())

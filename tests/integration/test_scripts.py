"""The code that sandbox-run runs: scripts, code on the command line and from stdin; tracebacks name it as given."""

import os
import re
import signal
import subprocess
import sys

import pytest

from sandbox_run import refused


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

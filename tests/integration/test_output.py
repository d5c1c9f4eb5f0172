"""Too much output never ends a job, unless the policy says so. Of each stream the first and the last part are shown,
and one line between them tells how many bytes are missing. The JSON stays valid."""

import contextlib
import os
import pathlib
import signal
import subprocess

import pytest

from processes import descendants
from sandbox_run import counts_processes
from waiting import until


def assert_honest(shown, written, missing, limit):
    """Head and tail of what was written, in whole lines, and one line that counts the rest exactly."""
    mark = f"… {missing} bytes left out …\n"
    assert shown.count(mark) == 1, (shown[:200], missing)
    head, tail = shown.split(mark)
    assert head.endswith("\n") and written.startswith(head)
    assert tail and written.endswith("\n" + tail)
    assert len(head.encode()) + missing + len(tail.encode()) == len(written.encode())
    assert limit / 2 < len(head.encode()) + len(tail.encode()) <= limit


LINES = "".join(f"Zeile {i} für 😀\n" for i in range(20000))
PRINT_LINES = "import sys\nfor i in range(20000): print('Zeile', i, 'für 😀', file=sys.{})"


@pytest.mark.parametrize("stream", ["stdout", "stderr"])
def test_where_output_is_missing_one_line_between_whole_lines_says_how_much(run, stream):
    ran = run("--output", "10000", json=True, code=PRINT_LINES.format(stream))
    verdict = ran.verdict
    assert (ran.status, verdict["verdict"]) == (0, "ok"), verdict
    assert_honest(verdict[stream], LINES, verdict["truncated"][stream], 10000)
    other = "stderr" if stream == "stdout" else "stdout"
    assert (verdict[other], verdict["truncated"][other]) == ("", 0)
    assert verdict["output"] == verdict["stdout"].removesuffix("\n")


@pytest.mark.parametrize("stream", ["stdout", "stderr"])
@pytest.mark.parametrize("limit", [300, 10000, 300000])
def test_what_passes_through_has_that_line_too_and_the_verdict_the_same_number(run, stream, limit):
    ran = run("--output", str(limit), meta=True, code=PRINT_LINES.format(stream))
    missing = ran.verdict["truncated"][stream]
    shown, _, said = (ran.out if stream == "stdout" else ran.err).decode().partition("sandbox-run: ")
    assert ran.status == 0
    assert_honest(shown, LINES, missing, limit)
    assert len(ran.sentences) == 1 and said == ("" if stream == "stdout" else ran.sentences[0][13:] + "\n")
    assert str(missing) in ran.sentences[0] and "--output" in ran.sentences[0]


def test_shown_and_missing_bytes_add_up_to_what_was_written(run):
    for limit in (1, 2, 999, 1000, 1001, 4096):
        ran = run("--output", str(limit), json=True, code="""
            import os
            for i in range(100):
                os.write(1, b"%09d\\n" % i)
            """)
        missing = ran.verdict["truncated"]["stdout"]
        shown = ran.verdict["stdout"].replace(f"… {missing} bytes left out …\n", "") if missing else ran.verdict["stdout"]
        added = shown.startswith("0\n") and limit < 10  # the newline before the line, where none was written
        assert len(shown) - added + missing == 1000 and len(shown) - added <= limit, (limit, ran.verdict)


def test_a_line_without_an_end_is_cut_between_characters(run):
    for limit in range(100, 110):
        ran = run("--output", str(limit), json=True, code="print('€' * 1000, end='')")
        missing = ran.verdict["truncated"]["stdout"]
        head, tail = ran.verdict["stdout"].split(f"\n… {missing} bytes left out …\n")
        assert set(head + tail) == {"€"}
        assert 3 * len(head + tail) + missing == 3000 and limit - 5 < 3 * len(head + tail) <= limit


def test_what_comes_is_seen_at_once_though_more_will_come_than_is_shown(run):
    started = run.start("--output", "100000", code="""
        print("the first line", flush=True)
        print("and a prompt: ", end="", flush=True)
        answer = input()
        print("\\n" + "more\\n" * 100000 + answer)
        """)
    seen, more = b"", True
    while more and seen != b"the first line\nand a prompt: ":
        more = os.read(started.process.stdout.fileno(), 100)
        seen += more
    assert more, seen
    started.write("an answer\n")
    ran = started.finish()
    assert ran.stdout.endswith("more\nan answer\n") and ran.stdout.count(" bytes left out …\n") == 1


def test_output_up_to_the_limit_is_kept_whole(run):
    ran = run("--output", "5000", json=True, code="import os; os.write(1, b'x' * 5000)")
    assert ran.verdict["stdout"] == "x" * 5000
    assert ran.verdict["truncated"] == {"stdout": 0, "stderr": 0}


def test_neither_stream_starves_the_other(run):
    ran = run("--output", "1000", "--timeout", "600", json=True, code="""
        import os
        for i in range(2000):
            os.write(1, b"o" * 5000)
            os.write(2, b"e" * 5000)
        os.write(2, b"the end")
        """)
    assert ran.verdict["verdict"] == "ok", ran.verdict["error"]
    assert ran.verdict["stderr"].endswith("the end")
    assert ran.verdict["truncated"] == {"stdout": 10_000_000 - 1000, "stderr": 10_000_007 - 1000}


@pytest.mark.parametrize("form", ["json", "passed through"])
def test_a_flood_neither_ends_a_script_nor_fills_our_memory(run, form):
    with open(os.devnull, "wb") as nowhere:
        started = run.start("--output", "100000", json=form == "json", stdout=nowhere, code="""
            import os, sys
            block = b"x" * 65536
            for i in range(3000):
                os.write(1, block)
            sys.stdin.read()
            """)
        started.write(bytes(1 << 20))  # more than pipes hold: returns when the script reads
        status = pathlib.Path(f"/proc/{started.pid}/status").read_text()
        assert started.finish().status == 0
    peak = next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM"))
    assert peak < 16 * 1024 or os.environ.get("SANDBOX_TEST_SANITIZED"), f"{peak} KiB"


def test_output_that_is_not_utf8_leaves_the_json_valid(run):
    ran = run(json=True, code=r"""
        import os
        os.write(1, b"a\xff\xfe\x80b\xc3\n")
        os.write(2, b"\xed\xa0\x80\xf4\x90\x80\x80")  # a surrogate, and past the last character
        """)
    assert ran.out.decode("utf-8", "strict")
    assert ran.verdict["stdout"].startswith("a\ufffd") and "b" in ran.verdict["stdout"]
    assert set(ran.verdict["stderr"]) == {"\ufffd"}


def test_a_character_that_is_cut_at_the_limit_leaves_the_json_valid(run):
    for limit in range(100, 108):
        ran = run("--output", str(limit), json=True, code="print('aé€😀' * 1000)")
        assert ran.out.decode("utf-8", "strict")
        assert ran.verdict["stdout"].startswith("aé€😀aé€😀")


def test_nul_bytes_and_control_characters_survive_in_the_json(run):
    text = "a\0b\x01\x1b[31m\x7f\u2028\"\\\r\n"
    ran = run(json=True, code=f"import sys; sys.stdout.write({text!r})")
    assert ran.verdict["stdout"] == text
    assert ran.verdict["output"] == text[:-1]


def test_output_is_stdout_without_its_last_newline_alone(run):
    assert run(json=True, code="print('x\\n\\n')").verdict["output"] == "x\n\n"
    assert run(json=True, code="print('x', end='')").verdict["output"] == "x"
    assert run(json=True, code="pass").verdict["output"] == ""


def state(pid):
    """Of a process: "R", "S", "T" …"""
    with contextlib.suppress(OSError):
        return pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]


def stopped_below(pid):
    return next((child for child in descendants(pid) if state(child) == "T"), None)


@counts_processes
def test_on_a_terminal_stderr_comes_after_what_was_printed_before_it(run):
    """Both pipes are full at once, as the supervisor was held up: what is read first must not depend on which of them
    had something first."""
    started = run.start(stderr=subprocess.STDOUT, code="""
        import os, signal
        for i in range(20):
            os.kill(os.getpid(), signal.SIGSTOP)
            os.write(2, b"warning\\n")
            os.write(1, b"printed\\n" * 400)
            os.write(2, b"traceback\\n")
        os.kill(os.getpid(), signal.SIGSTOP)
        """)
    until(lambda: stopped_below(started.pid))
    script = stopped_below(started.pid)
    for _ in range(20):
        started.signal(signal.SIGSTOP)
        until(lambda: state(started.pid) == "T")
        os.kill(script, signal.SIGCONT)
        until(lambda: state(script) == "T")
        started.signal(signal.SIGCONT)
        lines = [started.readline() for _ in range(402)]
        assert (lines.count("printed\n"), lines[-1]) == (400, "traceback\n"), lines
    os.kill(script, signal.SIGCONT)
    assert started.finish().status == 0


MERGED = """
    import os, subprocess, sys
    for i in range(200):
        os.write(1, b"out %d\\n" % i)
        os.write(2, b"err %d\\n" % i)
        print("print", i, file=sys.stderr)
    subprocess.run([sys.executable, "-c", "import os; os.write(2, b'its err\\\\n'); os.write(1, b'its out\\\\n')"])
    raise SystemExit(3)
    """


@pytest.mark.parametrize("start", ["cold", "warm"])
@pytest.mark.parametrize("form", ["json", "passed through"])
def test_merged_stderr_comes_in_stdout_in_the_order_written(run, form, start):
    ran = run("--merge-stderr", "--start", start, json=form == "json", meta=form != "json", code=MERGED)
    written = "".join(f"out {i}\nerr {i}\nprint {i}\n" for i in range(200)) + "its err\nits out\n"
    assert ran.verdict["enforcement"]["start"] == start
    assert (ran.status, ran.verdict["verdict"], ran.verdict["exit_code"]) == (3, "exit", 3)
    assert ran.verdict["error"] == "the script ended with exit status 3"
    if form == "json":
        assert (ran.verdict["stdout"], ran.verdict["stderr"]) == (written, "")
    else:
        assert (ran.stdout, ran.stderr) == (written, "")


@pytest.mark.parametrize("start", ["cold", "warm"])
def test_merged_stderr_is_one_pipe_that_is_closed_by_itself(run, start):
    """Nothing waits for the pipe that would have been stderr's, and closing one of the two leaves the other."""
    ran = run("--merge-stderr", "--start", start, json=True, code="""
        import os
        assert os.fstat(1).st_ino == os.fstat(2).st_ino
        os.close(1)
        os.write(2, b"left")
        """)
    assert (ran.status, ran.verdict["stdout"], ran.verdict["stderr"]) == (0, "left", ""), ran


@pytest.mark.parametrize("stream", ["stdout", "stderr"])
@pytest.mark.parametrize("form", ["json", "passed through"])
def test_too_much_output_kills_where_the_policy_says_so(run, policy, stream, form):
    path = policy(limits={"output_bytes": 10000}, output="kill")
    ran = run("--policy", path, json=form == "json", meta=form != "json", code=f"""
        import sys
        print("first", file=sys.{stream})
        while True:
            print("more", file=sys.{stream})
        """)
    assert ran.status == 153, ran
    assert ran.verdict["verdict"] == "output"
    assert "output_bytes" in ran.verdict["error"]
    if form == "json":
        assert ran.verdict[stream].startswith("first\nmore\n")
    else:
        assert "output_bytes" in ran.sentences[0]


def test_just_enough_output_does_not_kill(run, policy):
    path = policy(limits={"output_bytes": 10000}, output="kill")
    ran = run("--policy", path, json=True, code="import os; os.write(1, b'x' * 10000)")
    assert (ran.status, ran.verdict["verdict"]) == (0, "ok")


def test_a_result_larger_than_result_bytes_is_refused(run):
    code = "def main(): return 'x' * 98"
    fits = run("--result", "100", "--call", "main", json=True, code=code)
    assert fits.verdict["result"] == "x" * 98
    large = run("--result", "99", "--call", "main", json=True, code=code)
    assert large.status == 153
    assert large.verdict["verdict"] == "output" and large.verdict["result"] is None
    assert "result_bytes" in large.verdict["error"]


# ── When it comes ────────────────────────────────────────────────────────────────────────────────

VIOLENT = {
    "time": "while True: pass",
    "sleep": "import time; time.sleep(100)",
    "memory": "x = bytearray(10 ** 9)",
    "SIGSEGV": "import os, signal; os.kill(os.getpid(), signal.SIGSEGV)",
    "abort": "import os; os.abort()",
    "_exit": "import os; os._exit(3)",
    "SIGKILL": "import os; os.kill(os.getpid(), 9)",
    "exec": "import os; os.execv('/bin/true', ['true'])",
    "recursion": "import sys; sys.setrecursionlimit(10 ** 9)\nclass A:\n    def __repr__(self): return repr(self)\nrepr(A())",
}


@pytest.mark.parametrize("end", VIOLENT)
def test_lines_that_were_printed_come_back_however_the_script_ends(run, end):
    ran = run("--timeout", "1", json=True, code=f"print('phase 1')\nprint('phase 2')\n{VIOLENT[end]}")
    assert ran.verdict["stdout"] == "phase 1\nphase 2\n"


@pytest.mark.parametrize(("buffering", "printed"), [("line", "line\n"), ("block", ""), ("none", "line\npart")])
def test_the_policy_says_when_output_is_written(run, policy, buffering, printed):
    code = "import os, sys\nprint('line')\nprint('part', end='')\nos._exit(0)"
    ran = run("--policy", policy(output_buffering=buffering), json=True, code=code)
    assert ran.verdict["stdout"] == printed


def test_all_that_was_printed_comes_back_at_a_normal_end_whatever_the_buffering(run, policy):
    code = "import sys\nprint('line')\nprint('part', end='')\nsys.stdout.buffer.write(b'raw')"
    for buffering in ("line", "block", "none"):
        printed = run("--policy", policy(output_buffering=buffering), code=code).stdout
        assert sorted(printed) == sorted("line\npartraw")


def test_a_script_that_wants_no_buffer_has_none(run):
    ran = run("--env", "PYTHONUNBUFFERED=1", json=True, code="import os\nprint('part', end='')\nos._exit(0)")
    assert ran.verdict["stdout"] == "part"


def test_each_line_is_passed_on_as_it_is_printed(run):
    started = run.start(code="import time\nprint('first')\ntime.sleep(1000)")
    assert started.process.stdout.readline() == b"first\n"

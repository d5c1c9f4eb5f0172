"""stdin, stdout and stderr of sandbox-run are the script's, be they pipes or files, closed or full."""

import fcntl
import json
import os
import shutil
import subprocess

import pytest

from sandbox_run import SANITIZE


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
    assert ran.stderr == ("sandbox-run: standard output is closed, and the result would be written to it: open it "
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
    assert ran.stderr == ("sandbox-run: refuses to run as a set-user-ID or set-group-ID program, as every caller would get "
                          "those rights: remove them (chmod ug-s)\n")



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

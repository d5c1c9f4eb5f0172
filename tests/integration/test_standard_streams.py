"""A script opens its standard streams again by their names in /dev and /proc, as it does outside a sandbox. Whatever it
does with the pipes behind them, it gets the verdict that it would get without."""

import hashlib

import pytest

STDIN = ["/dev/stdin", "/dev/fd/0", "/proc/self/fd/0", "/proc/thread-self/fd/0", "/proc/self/task/{pid}/fd/0"]
OUTPUT = ["/dev/std{name}", "/dev/fd/{fd}", "/proc/self/fd/{fd}", "/proc/{pid}/fd/{fd}"]


@pytest.mark.vm
@pytest.mark.parametrize("path", STDIN)
def test_stdin_is_read_by_its_name(run, path):
    ran = run(code=f"import os; print(open({path!r}.format(pid=os.getpid())).read(), end='')", stdin="of stdin\n")
    assert (ran.status, ran.stdout, ran.stderr) == (0, "of stdin\n", "")


@pytest.mark.parametrize("how", ["", "import sys; assert sys.stdin.read() == ''; ", "import os; os.close(os.dup(0)); "],
                         ids=["at once", "after its end", "after a copy is closed"])
def test_an_empty_stdin_is_at_its_end(run, how):
    ran = run(code=how + "print(repr(open('/dev/stdin').read()))")
    assert (ran.status, ran.stdout, ran.stderr) == (0, "''\n", "")


def test_stdin_goes_on_where_it_was_left_when_it_is_opened_again(run):
    ran = run(stdin=b"first\nsecond\nthird\n", code="""
        import os
        print(os.read(0, 6), open("/dev/stdin", "rb", buffering=0).read(7), open("/dev/fd/0").read())
        """)
    assert ran.stdout == "b'first\\n' b'second\\n' third\n\n", ran


def test_a_large_stdin_is_read_by_its_name_as_it_comes(run):
    """Many times what a pipe holds."""
    data = b"0123456789abcde\n" * 100_000
    ran = run(stdin=data, code="""
        import hashlib
        print(hashlib.sha256(open("/dev/stdin", "rb").read()).hexdigest())
        """)
    assert ran.stdout == hashlib.sha256(data).hexdigest() + "\n", ran


@pytest.mark.parametrize("mode", ["w", "ab"])
@pytest.mark.parametrize("path", OUTPUT)
@pytest.mark.parametrize("fd,name", [(1, "out"), (2, "err")])
def test_output_is_written_by_its_name(run, fd, name, path, mode):
    text = "b'by name'" if "b" in mode else "'by name'"
    ran = run(code=f"""
        import os
        open({path!r}.format(fd={fd}, name={name!r}, pid=os.getpid()), {mode!r}).write({text})
        """)
    assert (ran.status, ran.stdout, ran.stderr) == (0, *(("by name", "") if fd == 1 else ("", "by name")))


def test_what_is_written_by_name_and_by_number_comes_in_the_order_written(run):
    ran = run(code="""
        import os
        with open("/dev/stdout", "w", buffering=1) as again:
            for i in range(0, 1000, 2):
                os.write(1, b"%d\\n" % i)
                print(i + 1, file=again)
        """)
    assert ran.stdout == "".join(f"{i}\n" for i in range(1000))


@pytest.mark.vm
@pytest.mark.parametrize("command,stdin,out,err", [
    ("echo x > /dev/stderr", "", "", "x\n"), ("echo x >> /dev/stdout", "", "x\n", ""),
    ("echo both | tee /dev/stderr", "", "both\n", "both\n"), ("cat /dev/stdin", "in\n", "in\n", ""),
    ("cat /dev/stdin > /dev/stdout", "in\n", "in\n", ""), ("cat < /proc/self/fd/0", "in\n", "in\n", ""),
    ("read a; cat /dev/fd/0", "1\n2\n", "", ""), ("exec 3> /dev/stdout; echo 3 >&3", "", "3\n", ""),
    ("cp /dev/stdin /tmp/copy; cat /tmp/copy", "in\n", "in\n", ""),
])
def test_a_shell_uses_the_names(run, command, stdin, out, err):
    ran = run(code=f"import subprocess; subprocess.run({command!r}, shell=True, check=True)", stdin=stdin)
    if "read a" in command:  # dash reads a line byte by byte
        out = "2\n"
    assert (ran.status, ran.stdout, ran.stderr) == (0, out, err), ran


def test_a_child_opens_its_parents_streams(run):
    ran = run(code="""
        import os, subprocess, sys
        subprocess.run([sys.executable, "-c", "open('/dev/stdout', 'w').write(open('/dev/stdin').read())"], check=True)
        """, stdin="passed on\n")
    assert (ran.status, ran.stdout) == (0, "passed on\n"), ran


@pytest.mark.vm
def test_the_streams_are_the_scripts_own(run):
    ran = run(code="""
        import os, stat
        for fd in range(3):
            info = os.fstat(fd)
            print(stat.S_ISFIFO(info.st_mode), stat.S_IMODE(info.st_mode) & 0o600 == 0o600,
                  info.st_uid == os.getuid(), info.st_gid == os.getgid())
        """)
    assert ran.stdout == "True True True True\n" * 3, ran


def test_no_other_descriptor_can_be_opened_by_name(run):
    """That of the code is closed when the code runs."""
    ran = run(code="""
        import os
        for fd in range(4, 1024):
            for directory in ("/dev/fd", "/proc/self/fd"):
                try:
                    os.open(f"{directory}/{fd}", os.O_RDONLY)
                    print(fd)
                except FileNotFoundError:
                    pass
        """)
    assert (ran.status, ran.stdout) == (0, ""), ran


# ── What a script can do with its pipes ──────────────────────────────────────────────────────────


OWN_AFFAIRS = {
    "reads its own output": """
        reader = os.open("/proc/self/fd/1", os.O_RDONLY | os.O_NONBLOCK)
        os.write(1, b"x" * 1000)
        """,
    "keeps the reading end of its output": """
        for _ in range(20):
            os.open("/dev/stdout", os.O_RDONLY)
        """,
    "keeps all its pipes both ways": """
        kept = [os.open(f"/dev/fd/{fd}", os.O_RDWR) for fd in range(3) for _ in range(5)]
        """,
    "leaves its output to a child that outlives it": """
        os.open("/dev/stdout", os.O_RDWR)
        if os.fork() == 0:
            time.sleep(1000)
        """,
    "shrinks its pipes": """
        for fd in (1, 2):
            fcntl.fcntl(fd, 1031, 4096)  # F_SETPIPE_SZ
        os.write(1, b"x" * 1000)
        """,
    "grows its pipes": """
        for fd in range(3):
            try:
                fcntl.fcntl(fd, 1031, 1 << 17)
            except PermissionError:
                pass  # the pipes of all jobs together are many just now
        os.write(1, b"x" * 60000)
        """,
    "writes in packets": """
        fcntl.fcntl(1, fcntl.F_SETFL, os.O_DIRECT)
        for _ in range(1000):
            os.write(1, b"x")
        """,
    "makes its ends non-blocking": """
        for fd in range(3):
            for again in (fd, os.open(f"/dev/fd/{fd}", os.O_RDWR)):
                os.set_blocking(again, False)
        """,
    "asks for signals": """
        for fd in range(3):
            fcntl.fcntl(os.open(f"/dev/fd/{fd}", os.O_RDWR), fcntl.F_SETFL, os.O_ASYNC)
        """,
    "takes the rights away": """
        for fd in range(3):
            os.fchmod(fd, 0)
        """,
    "locks them": """
        for fd in range(3):
            try:
                fcntl.flock(os.open(f"/dev/fd/{fd}", os.O_RDWR), fcntl.LOCK_EX)
            except OSError:
                pass
        """,
    "fills its own stdin": """
        writer = os.open("/dev/stdin", os.O_WRONLY | os.O_NONBLOCK)
        try:
            while True:
                os.write(writer, bytes(4096))
        except BlockingIOError:
            pass
        """,
    "closes its streams and opens them again": """
        kept = [os.open(f"/dev/fd/{fd}", os.O_RDWR) for fd in range(3)]
        for fd in range(3):
            os.close(fd)
            os.open(f"/proc/self/fd/{kept[fd]}", os.O_RDONLY if fd == 0 else os.O_WRONLY)
        """,
    "gives pages of a file away": """
        file = os.open("/tmp/pages", os.O_RDWR | os.O_CREAT)
        os.write(file, b"x" * 1000)
        os.splice(file, os.open("/dev/stdout", os.O_WRONLY), 1000, offset_src=0)
        os.ftruncate(file, 0)
        """,
}


@pytest.mark.parametrize("stdin", ["some", "open"])
@pytest.mark.parametrize("what", OWN_AFFAIRS)
def test_a_script_that_meddles_with_its_pipes_has_its_verdict(run, what, stdin):
    code = "\n".join(["import fcntl, os, time", *(line[8:] for line in OWN_AFFAIRS[what].splitlines()),
                      "os.write(2, b'done')", "os._exit(7)"])
    started = run.start(meta=True, code=code)
    if stdin == "open":
        started.process.wait()
    ran = started.finish(b"y" * 300_000 if stdin == "some" else b"")
    assert (ran.status, ran.verdict["verdict"], ran.verdict["exit_code"]) == (7, "exit", 7), ran
    assert ran.err == b"done"


def test_a_script_that_waits_for_its_own_output_ends_at_the_time_limit(run):
    ran = run("--timeout", "1", json=True, code="""
        import os
        reader = os.open("/dev/stdout", os.O_RDONLY)
        os.close(1)
        while os.read(reader, 65536) is not None:
            pass
        """)
    assert ran.verdict["verdict"] == "timeout"


@pytest.mark.vm
def test_a_script_that_takes_its_own_result_has_its_verdict(run, host):
    """As root that pipe is nobody's in the job; an ordinary user's is the script's to open."""
    ran = run("--call", "main", json=True, code="""
        import os, threading
        def main():
            try:
                reader = os.open("/proc/self/fd/3", os.O_RDONLY)
            except PermissionError:
                return "refused"
            threading.Thread(target=os.read, args=(reader, 65536), daemon=True).start()
            return "taken"
        """)
    assert ran.verdict["verdict"] == "ok", ran.verdict
    assert ran.verdict["result"] in (["refused"] if host.root else ["taken", None])

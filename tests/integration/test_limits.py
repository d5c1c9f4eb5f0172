"""Each limit that the kernel holds is held, and the verdict names it by the kernel's evidence: time, CPU, memory,
processes, files. What sandbox-run counts itself is in test_output.py and test_limit_caps.py."""

import pytest

from kernel import USER_MODE_LINUX
from processes import descendants
from sandbox_run import SLOW

pytestmark = pytest.mark.vm("root")

MIB = 1 << 20

# Forks until the kernel refuses, then tells how many there were. Threads count as processes do.
FORK_UNTIL_REFUSED = """
    import os, signal
    children = []
    try:
        while len(children) < 1000:
            pid = os.fork()
            if pid == 0:
                while True:
                    signal.pause()
            children.append(pid)
    except OSError as error:
        print(len(children), type(error).__name__, error.errno)
    """

BUSY_CHILDREN = """
    import os, time
    for _ in range({children}):
        if os.fork() == 0:
            end = time.monotonic() + {seconds}
            while time.monotonic() < end:
                pass
            os._exit(0)
    for _ in range({children}):
        os.wait()
    """


# ── Wall time ────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.long
@pytest.mark.parametrize("code", ["while True: pass", "import time; time.sleep(1000)",
                                  "import sys; sys.stdin.read()"])
def test_a_script_is_ended_at_wall_time_ms(run, code):
    started = run.start("--timeout", "2", "--cpu-time", "10", json=True, code=code)
    ran = started.finish() if "stdin" not in code else wait_with_open_stdin(started)
    assert ran.status == 124
    assert ran.verdict["verdict"] == "timeout"
    assert ran.verdict["error"] == "Execution timed out after 2 seconds"
    assert ran.verdict["usage"]["wall_time_ms"] >= 2000


def wait_with_open_stdin(started):
    started.process.wait()
    return started.finish()


def test_wall_time_in_milliseconds_is_named_as_it_was_given(run):
    ran = run("--timeout", "1500ms", json=True, code="import time; time.sleep(1000)")
    assert ran.verdict["error"] == "Execution timed out after 1.5 seconds"


@pytest.mark.long
@pytest.mark.parametrize("word,options", [
    ("timeout", ["--timeout", 3 * SLOW]), ("cpu_time", ["--cpu-time", SLOW, "--timeout", 600])])
def test_output_before_time_was_up_is_returned(run, word, options):
    ran = run(*options, json=True, code="""
        import sys
        print("before", flush=True)
        print("also", file=sys.stderr, flush=True)
        while True:
            pass
        """)
    assert ran.verdict["verdict"] == word
    assert (ran.verdict["stdout"], ran.verdict["stderr"]) == ("before\n", "also\n")
    assert ran.verdict["output"] == "before"


def test_a_timeout_ends_every_process_of_the_job(run):
    ran = run("--timeout", "1", code="""
        import os, signal, time
        for _ in range(5):
            if os.fork() == 0:
                os.setsid()
                for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
                    signal.signal(number, signal.SIG_IGN)
        time.sleep(1000)
        """)
    assert ran.status == 124
    assert not descendants()


def test_a_script_that_stops_itself_is_ended_at_wall_time_ms(run):
    ran = run("--timeout", "1", json=True,
              code="import os, signal; os.kill(os.getpid(), signal.SIGSTOP)")
    assert ran.verdict["verdict"] == "timeout"


# ── CPU time ─────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.vm
def test_cpu_time_is_one_budget_over_processes_that_run_at_once(run):
    ran = run("--cpu-time", "1", "--timeout", "600", json=True,
              code=BUSY_CHILDREN.format(children=8, seconds=1000))
    assert ran.status == 124
    assert ran.verdict["verdict"] == "cpu_time", ran.verdict
    assert "CPU time limit of 1 second (cpu_time_ms)" in ran.verdict["error"]
    # A budget for each process would let eight of them take eight seconds.
    assert 1000 <= ran.verdict["usage"]["cpu_time_ms"] < 4000


def test_cpu_time_is_one_budget_over_processes_that_follow_each_other(run):
    ran = run("--cpu-time", "1", "--timeout", "600", json=True, code="""
        import os, time
        while True:  # none of them takes more than a fraction of the limit
            if os.fork() == 0:
                while time.process_time() < 0.1:
                    pass
                os._exit(0)
            os.wait()
        """)
    assert ran.verdict["verdict"] == "cpu_time", ran.verdict
    assert ran.verdict["usage"]["cpu_time_ms"] >= 1000


def test_cpu_time_counts_threads(run):
    ran = run("--cpu-time", "1", "--timeout", "600", json=True, code="""
        import hashlib, threading
        def work():
            data = bytes(1 << 20)
            while True:
                hashlib.sha256(data)  # without the interpreter's lock
        for _ in range(4):
            threading.Thread(target=work).start()
        """)
    assert ran.verdict["verdict"] == "cpu_time", ran.verdict


@pytest.mark.long
def test_sleeping_costs_no_cpu_time(run):
    ran = run("--cpu-time", "1", "--timeout", "600", json=True, code="import time; time.sleep(2)")
    assert ran.verdict["verdict"] == "ok", ran.verdict
    assert ran.verdict["usage"]["wall_time_ms"] >= 2000


def test_the_verdict_tells_the_cpu_time_of_all_processes(run):
    ran = run("--timeout", "600", json=True, code="""
        import os, time
        for _ in range(3):
            if os.fork() == 0:
                while time.process_time() < 0.3:
                    pass
                os._exit(0)
            os.wait()
        """)
    assert ran.verdict["verdict"] == "ok", ran.verdict
    assert ran.verdict["usage"]["cpu_time_ms"] >= 850


# ── CPUs ─────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.vm
@pytest.mark.long
def test_two_busy_processes_are_held_to_cpus(run):
    ran = run("--cpus", "0.5", "--timeout", "600", "--cpu-time", "10", json=True,
              code=BUSY_CHILDREN.format(children=2, seconds=2))
    assert ran.verdict["verdict"] == "ok", ran.verdict
    usage = ran.verdict["usage"]
    # A period of slack at both ends, and what starting the interpreter takes.
    assert usage["cpu_time_ms"] <= 0.5 * usage["wall_time_ms"] * 1.25 + 200, usage


@pytest.mark.long
def test_one_process_may_use_what_cpus_allows(run):
    ran = run("--cpus", "0.2", "--timeout", "600", json=True, code="""
        import time
        while time.process_time() < 0.4:
            pass
        """)
    assert ran.verdict["verdict"] == "ok", ran.verdict
    # 0.4 s of CPU at a fifth of one take 2 s; the first periods may come at once.
    assert ran.verdict["usage"]["wall_time_ms"] >= 1300, ran.verdict["usage"]


# ── Memory ───────────────────────────────────────────────────────────────────────────────────────

MEMORY_EATERS = {
    "heap": "x = bytearray(1 << 30)",
    "one_string": "x = 'a' * 1000000000",
    "many_small_objects": "x = []\nwhile True: x.append(str(len(x)) * 10)",
    "tmp": "f = open('/tmp/x', 'wb')\nwhile True: f.write(bytes(1 << 20))",
    "work": "f = open('/work/x', 'wb')\nwhile True: f.write(bytes(1 << 20))",
    "dev_shm": "f = open('/dev/shm/x', 'wb')\nwhile True: f.write(bytes(1 << 20))",
    "shared_memory": """
import mmap
m = mmap.mmap(-1, 1 << 30)
for i in range(0, 1 << 30, 4096): m[i] = 1
""",
    "memfd": """
import os
fd = os.memfd_create("x")
while True: os.write(fd, bytes(1 << 20))
""",
    "children": """
import os, time
for _ in range(20):
    if os.fork() == 0:
        x = bytearray(os.urandom(1 << 20)) * 30
        time.sleep(1000)
while True: os.wait()
""",
    "unlinked_files": """
while True:
    for i in range(200):
        f = open(f'/tmp/{i}', 'wb'); f.write(bytes(1 << 20)); f.flush()
        import os; os.unlink(f'/tmp/{i}'); globals()[f'f{i}'] = f
""",
}


@pytest.mark.parametrize("kind", MEMORY_EATERS)
def test_memory_of_every_kind_counts_and_the_verdict_names_the_limit(run, policy, kind):
    path = policy(limits={"memory_bytes": 64 * MIB, "tmp_bytes": 1 << 30, "wall_time_ms": 600000})
    ran = run("--policy", path, json=True, code=MEMORY_EATERS[kind])
    if kind == "memfd" and ran.verdict["verdict"] == "exception":
        assert "memfd_create" in ran.verdict["stderr"]  # refused: nothing to count
        return
    assert ran.status == 137, ran
    assert ran.verdict["verdict"] == "memory"
    assert ran.verdict["error"].startswith("the memory limit of 64 MiB (memory_bytes) was reached")
    assert ran.verdict["usage"]["memory_peak_bytes"] <= 64 * MIB


def test_names_that_are_not_there_count(run):
    """The kernel remembers each that was looked for. With no memory left it forgets some, or ends the job."""
    ran = run("--memory", "32M", "--timeout", "600", "--cpu-time", "600", json=True, code="""
        import os
        fresh = os.urandom(8).hex()  # the host remembers those of an earlier run
        for number in range(300000):
            os.path.exists(f"/usr/lib/{fresh}-{number}")
        """)
    assert ran.verdict["verdict"] in ("ok", "memory"), ran.verdict
    assert 24 * MIB < ran.verdict["usage"]["memory_peak_bytes"] <= 32 * MIB


SOCKETS = """
    import socket
    kept, held = [], 0
    server = socket.create_server(("127.0.0.1", 0))
    while len(kept) < 100:
        near = socket.create_connection(server.getsockname())
        far, _ = server.accept()
        kept += [near, far]
        for end in near, far:
            end.setblocking(False)
            try:
                while True:
                    held += end.send(bytes(1 << 16))
            except BlockingIOError:
                pass
    print(held >> 20)
    for end in kept:
        end.close()
    near, far = socket.create_connection(server.getsockname()), server.accept()[0]
    near.sendall(b"still of use")
    print(far.recv(100).decode())
    """


@pytest.mark.vm
def test_what_sockets_hold_in_buffers_is_bounded(run, policy):
    """v2 counts it as memory; v1 apart from it, and only when told to: there 50 connections held 370 MiB."""
    path = policy(loopback=True, limits={"memory_bytes": 64 * MIB, "wall_time_ms": 600000})
    ran = run("--policy", path, json=True, code=SOCKETS)
    if ran.verdict["verdict"] == "memory":
        return
    held, after = ran.verdict["output"].split("\n")
    assert int(held) < 64
    assert after == "still of use"


@pytest.mark.vm
def test_memory_that_a_child_ran_out_of_ends_the_whole_job(run):
    ran = run("--memory", "64M", json=True, code="""
        import os
        if os.fork() == 0:
            x = bytearray(1 << 30)
            os._exit(0)
        os.wait()
        print("the parent went on", flush=True)
        """)
    assert ran.status == 137
    assert ran.verdict["verdict"] == "memory", ran.verdict
    assert not descendants()


@pytest.mark.vm
def test_a_job_that_grows_while_the_host_has_too_little_memory_left_is_ended(run):
    ran = run("--memory-floor", "1000T", "--timeout", "60", json=True, code="""
        import time
        kept = []
        while len(kept) < 60:
            kept.append(bytearray(b"x" * (1 << 20)))
            time.sleep(0.05)
        """)
    assert (ran.status, ran.verdict["verdict"]) == (125, "internal")
    assert "less than the floor of 1048576000 MiB" in ran.verdict["error"]


@pytest.mark.vm
@pytest.mark.skipif(USER_MODE_LINUX, reason="user-mode Linux does not tell how long a job was in the kernel")
def test_so_is_one_that_takes_what_nobody_counts(run):
    """Record locks, of files that can be written: sqlite3 needs them there."""
    ran = run("--memory-floor", "1000T", "--timeout", "60", "--cpu-time", "60", json=True, code="""
        import fcntl, struct
        files = [open(f"/work/{number}", "w") for number in range(100)]
        start = 0
        while True:
            where = struct.pack("hhqqi4x", fcntl.F_WRLCK, 0, start, 1, 0)
            for file in files:
                fcntl.fcntl(file, fcntl.F_SETLK, where)
            start += 2
        """)
    assert (ran.status, ran.verdict["verdict"]) == (125, "internal")
    assert ran.verdict["usage"]["memory_peak_bytes"] < 16 * MIB


@pytest.mark.alone  # what others take of the host's memory it could have taken
@pytest.mark.skipif(SLOW > 1, reason="where python starts so slowly, the kernel could have taken much meanwhile")
def test_one_that_holds_next_to_nothing_goes_on(run):
    ran = run("--memory-floor", "1000T", json=True, code="import time; time.sleep(1.5); print('done')")
    assert ran.verdict["output"] == "done", ran.verdict


def test_less_than_the_memory_limit_is_no_trouble(run):
    ran = run("--memory", "128M", json=True, code="x = bytearray(b'x' * (40 << 20)); print(len(x))")
    assert ran.verdict["verdict"] == "ok", ran.verdict
    assert 40 * MIB <= ran.verdict["usage"]["memory_peak_bytes"] <= 128 * MIB


def test_memory_that_is_given_back_can_be_used_again(run):
    ran = run("--memory", "64M", json=True, code="""
        for _ in range(20):
            x = bytearray(b"x" * (10 << 20))
            del x
        open("/tmp/x", "wb").write(bytes(10 << 20))
        for _ in range(20):
            open("/tmp/x", "wb").write(bytes(10 << 20))
        """)
    assert ran.verdict["verdict"] == "ok", ran.verdict


def test_a_memory_error_that_the_script_raises_is_an_exception(run):
    ran = run(json=True, code="raise MemoryError('of my own')")
    assert (ran.status, ran.verdict["verdict"]) == (1, "exception")


# ── Processes ────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.vm
def test_a_fork_bomb_is_held_at_pids_max_and_the_verdict_counts_it(run):
    ran = run("--pids", "20", json=True, code=FORK_UNTIL_REFUSED)
    assert ran.status == 0, ran
    count, error, errno = ran.verdict["output"].split()
    assert (error, errno) == ("BlockingIOError", "11")
    assert int(count) == 19  # the script itself is one; the job's first process, ours, is not
    assert ran.verdict["usage"]["pids_peak"] == 20


def test_threads_count_as_processes(run):
    ran = run("--pids", "20", json=True, code="""
        import threading
        stop = threading.Event()
        threads = []
        try:
            for _ in range(100):
                threads.append(threading.Thread(target=stop.wait))
                threads[-1].start()
        except RuntimeError as error:
            print(len(threads) - 1, error)
        stop.set()
        """)
    assert ran.status == 0, ran
    assert int(ran.verdict["output"].split()[0]) == 19


@pytest.mark.long
def test_a_fork_bomb_that_never_gives_up_ends_at_the_time_limit(run):
    ran = run("--timeout", 2 * SLOW, "--pids", "50", json=True, code="""
        import os
        while True:
            try:
                os.fork()
            except OSError:
                pass
        """)
    assert ran.status == 124
    assert ran.verdict["verdict"] in ("timeout", "cpu_time")
    assert ran.verdict["usage"]["pids_peak"] == 50
    assert not descendants()


def test_jobs_at_the_same_time_do_not_share_their_pids(run):
    # RLIMIT_NPROC would count a user's processes in all jobs together.
    code = FORK_UNTIL_REFUSED + """
    import sys
    print("full", flush=True)
    sys.stdin.read()
    """
    first = run.start("--pids", "30", code=code)
    mine = first.readline()
    first.expect("full")
    second = run("--pids", "30", code=code)
    assert second.stdout.splitlines()[0] + "\n" == mine
    assert first.finish().status == 0


# ── Files ────────────────────────────────────────────────────────────────────────────────────────


def test_open_files_is_what_one_process_can_open(run):
    ran = run("--open-files", "30", code="""
        import os, resource
        print(resource.getrlimit(resource.RLIMIT_NOFILE))
        fds = []
        try:
            while True:
                fds.append(os.open("/dev/null", os.O_RDONLY))
        except OSError as error:
            print(error.errno, max(fds))
        """)
    assert ran.stdout == "(30, 30)\n24 29\n"


@pytest.mark.parametrize("directories", [["/tmp"], ["/work"], ["/dev/shm"],
                                         ["/tmp", "/work", "/dev/shm"]], ids=",".join)
def test_tmp_bytes_is_all_that_can_be_written(run, directories):
    ran = run("--tmp", "4M", code=f"""
        written = 0
        files = [open(directory + "/file", "wb", buffering=0) for directory in {directories}]
        full = set()
        while len(full) < len(files):
            for file in files:
                try:
                    written += file.write(bytes(65536))
                except OSError as error:
                    assert error.errno == 28, error
                    full.add(file)
        print(written)
        """)
    assert ran.status == 0, ran
    assert 3 * MIB <= int(ran.stdout) <= 4 * MIB


def test_tmp_files_is_how_many_files_can_be_made(run):
    ran = run("--tmp-files", "100", code="""
        import os
        made = 0
        for directory in ("/tmp", "/work", "/dev/shm"):
            try:
                for i in range(1000):
                    open(f"{directory}/{i}", "w").close()
                    made += 1
            except OSError as error:
                assert error.errno == 28, error
        print(made)
        """)
    assert ran.status == 0, ran
    assert 80 <= int(ran.stdout) <= 100

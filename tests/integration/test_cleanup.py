"""Nothing is left after a verdict, whatever the script did, and nothing after a SIGKILL of
sandbox-run itself, at whatever moment. Shown by counting before and after."""

import json
import os
import pathlib
import random
import signal
import time

import pytest

from leftovers import cgroup_processes
from processes import descendants, in_pid_namespace, living, reap, with_argument
from sandbox_run import QUICK, counts_processes
from waiting import until

# Each leaves something behind in its own way and then ends; a verdict comes at once all the same.
LEAVERS = {
    "a child": "if os.fork() == 0: time.sleep(1000)",
    "an orphan": """
if os.fork() == 0:
    if os.fork() == 0: time.sleep(1000)
    os._exit(0)
os.wait()
""",
    "a daemon": """
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        os.chdir("/")
        for fd in range(3): os.close(fd)
        time.sleep(1000)
    os._exit(0)
os.wait()
""",
    "one that ignores every signal": """
if os.fork() == 0:
    for number in range(1, 65):
        try: signal.signal(number, signal.SIG_IGN)
        except (OSError, ValueError): pass
    signal.pthread_sigmask(signal.SIG_BLOCK, range(1, 65))
    while True: time.sleep(1000)
""",
    "one that holds the streams open": "if os.fork() == 0:\n    os.setsid()\n    time.sleep(1000)",
    "one that goes on writing": """
if os.fork() == 0:
    while True: os.write(1, b"more\\n" * 100)
""",
    "a stopped one": "if os.fork() == 0: os.kill(os.getpid(), signal.SIGSTOP)",
    "a zombie": "if os.fork() == 0: os._exit(0)\ntime.sleep(0.05)",
    "a thread that goes on": """
import threading
threading.Thread(target=time.sleep, args=(1000,), daemon=True).start()
""",
    "a chain of forks": """
import sys
if os.fork() == 0:
    end = time.monotonic() + 1000
    while time.monotonic() < end:  # each lives for a moment and starts the next
        if os.fork(): os._exit(0)
""",
    "a server": """
if os.fork() == 0:
    s = socket.socket(socket.AF_UNIX); s.bind("/tmp/socket"); s.listen(); s.accept()
""",
    "full directories": """
for directory in ("/tmp", "/work", "/dev/shm"):
    for i in range(300): open(f"{directory}/{i}", "w").write("x")
""",
    "shared memory": """
import ctypes
libc = ctypes.CDLL(None)
libc.shmget(1234, 1 << 20, 0o1666)
from multiprocessing import shared_memory, resource_tracker
""",
    "an unlinked open file": """
f = open("/tmp/x", "w")
os.unlink("/tmp/x")
if os.fork() == 0: time.sleep(1000)
""",
}


# Those that are not easily killed.
STUBBORN = ("one that ignores every signal", "a chain of forks")


@pytest.mark.alone
@pytest.mark.parametrize("kind", [pytest.param(kind, marks=[pytest.mark.vm] * (kind in STUBBORN)) for kind in LEAVERS])
def test_what_a_script_leaves_behind_is_gone_with_its_verdict(run, left, kind):
    ran = run(json=True, code=f"""
import os, signal, time
print(os.stat("/proc/self/ns/pid").st_ino, flush=True)
main = os.getpid()
{LEAVERS[kind].strip()}
if os.getpid() == main:
    os._exit(6)
""")
    assert (ran.status, ran.verdict["verdict"], ran.verdict["exit_code"]) == (6, "exit", 6)
    assert not in_pid_namespace(int(ran.verdict["stdout"].split()[0]))
    left.check()


@pytest.mark.alone
@pytest.mark.parametrize("options,code,status", [
    pytest.param(["--timeout", "1"], "import time; time.sleep(1000)", 124, id="timeout", marks=pytest.mark.vm),
    pytest.param(["--cpu-time", "1", "--timeout", "600"], "while True: pass", 124, id="cpu_time"),
    pytest.param(["--memory", "64M"], "x = bytearray(1 << 30)", 137, id="memory", marks=pytest.mark.vm),
    pytest.param([], "import os; os.abort()", 134, id="abort"),
    pytest.param([], "import ctypes; ctypes.string_at(0)", 139, id="segfault"),
    pytest.param(["--no-such-option"], "", 125, id="usage"),
    pytest.param(["--rootfs", "/no/such"], "", 125, id="rootfs"),
    pytest.param(["--python", "/no/such"], "", 125, id="python", marks=pytest.mark.vm),
])
def test_nothing_is_left_however_a_job_ends(run, left, options, code, status):
    assert run(*options, code=code).status == status
    left.check()


@pytest.mark.alone
@pytest.mark.parametrize("number", [signal.SIGINT, pytest.param(signal.SIGTERM, marks=pytest.mark.vm), signal.SIGHUP])
def test_nothing_is_left_after_a_signal(run, left, number):
    started = run.start(code="""
        import os, time
        for _ in range(3): os.fork()
        print("ready", flush=True)
        time.sleep(1000)
        """)
    started.expect("ready")
    started.signal(number)
    assert started.finish().status == 128 + number
    left.check()


@pytest.mark.alone
def test_temporary_files_of_our_own_are_not_made(run, left, tmp_path):
    directory = tmp_path / "tmpdir"
    directory.mkdir()
    (tmp_path / "data").write_text("x")
    ran = run("--files", tmp_path / "data", code="pass", env={"TMPDIR": str(directory)})
    assert ran.status == 0
    assert os.listdir(directory) == []
    left.check()


@pytest.mark.vm
def test_a_job_is_dead_before_its_verdict_is_printed(run):
    # A reader may rely on the end of the output, whatever the script has left behind.
    for number in range(5 if QUICK else 20):
        token = f"1000.{os.getpid()}{number:03}"
        started = run.start(json=True, code=f"""
            import os
            executed, closes_then = os.pipe()
            for number in range(10):
                if os.fork() == 0:
                    if number % 2:
                        os.setsid()
                        if os.fork():
                            os._exit(0)
                    os.execv("/bin/sleep", ["sleep", "{token}"])
            os.close(closes_then)
            os.read(executed, 1)
            """)
        verdict = json.loads(started.readline())
        assert verdict["verdict"] == "ok" and not living(with_argument(token))
        assert started.finish().status == 0


@counts_processes
@pytest.mark.vm
def test_the_cgroup_of_a_job_holds_all_its_processes_and_limits(run, host):
    if host.cgroup == "none":
        pytest.skip("this host has no cgroups")
    started = run.start("--memory", "77M", "--pids", "33", "--cpus", "0.7", code="""
        import os, sys
        for _ in range(3):
            if os.fork() == 0:
                sys.stdin.read()
                os._exit(0)
        print("ready", flush=True)
        sys.stdin.read()
        """)
    started.expect("ready")
    pids = descendants(started.pid)
    assert len(pids) == 5
    directories = {}
    for line in pathlib.Path(f"/proc/{max(pids)}/cgroup").read_text().splitlines():
        _, controllers, path = line.split(":", 2)
        directories[controllers or "unified"] = path
    if host.cgroup == "v2":
        base = pathlib.Path("/sys/fs/cgroup" + directories["unified"])
        files = {"memory.max": str(77 << 20), "memory.oom.group": "1", "cpu.max": "70000 100000"}
        where = {name: base for name in [*files, "pids.max"]}
        if (base / "memory.swap.max").exists():
            files["memory.swap.max"], where["memory.swap.max"] = "0", base
    else:
        files = {"memory.limit_in_bytes": str(77 << 20), "cpu.cfs_quota_us": "70000"}
        v1 = pathlib.Path("/sys/fs/cgroup")
        cpu = next(name for name in directories if "cpu" in name.split(","))
        where = {"memory.limit_in_bytes": v1 / f"memory{directories['memory']}",
                 "cpu.cfs_quota_us": v1 / f"{cpu}{directories[cpu]}",
                 "pids.max": v1 / f"pids{directories['pids']}"}
    for name, value in files.items():
        assert (where[name] / name).read_text().strip() == value, name
    # One more than asked for: the job's first process is ours.
    assert int((where["pids.max"] / "pids.max").read_text()) in (33, 34)
    for directory in where.values():
        assert cgroup_processes(directory) == pids
    assert started.finish().status == 0


# ── Death of sandbox-run itself ──────────────────────────────────────────────────────────────────

FORKER = """
    import os, signal, time
    for _ in range(3):
        if os.fork() == 0:
            os.setsid()
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
    print("ready", flush=True)
    time.sleep(1000)
    """


def all_dead():
    """Waits until no process of ours is left. Orphans become children of the tests' process."""
    def none_lives():
        alive = living(descendants())
        return not alive

    until(none_lives)
    reap()


@pytest.mark.vm
@pytest.mark.alone
def test_a_sigkill_of_sandbox_run_takes_its_job_along(run, left):
    started = run.start(code=FORKER)
    started.expect("ready")
    assert len(descendants(started.pid)) >= 5
    started.signal(signal.SIGKILL)
    started.process.wait()
    all_dead()
    assert run(code="pass").status == 0  # the next start clears what is left of cgroups
    left.check()


@pytest.mark.vm
@pytest.mark.alone
@pytest.mark.slow
def test_a_sigkill_at_random_moments_leaves_nothing(run, left):
    rounds = 20 if QUICK else 100
    begin = time.monotonic()
    assert run(code="pass").status == 0
    one_run = time.monotonic() - begin
    seed = random.randrange(1 << 30)
    moments = random.Random(seed)
    print(f"seed {seed}, one run takes {one_run:.4f} s")
    for _ in range(rounds):
        started = run.start(code=FORKER)
        # Not to wait for anything, but to hit every step of a start and some of the run.
        time.sleep(moments.uniform(0, 1.5 * one_run))
        started.signal(signal.SIGKILL)
        started.process.wait()
        all_dead()
        run.close()
    assert run(code="pass").status == 0
    left.check()


@pytest.mark.vm
@pytest.mark.alone
def test_the_next_start_clears_what_the_dead_left_and_lets_the_living_be(run, left):
    code = "import sys; print('ready', flush=True); sys.stdin.read(); print('still here')"
    living_one = run.start(code=code)
    living_one.expect("ready")
    dead_ones = [run.start(code=code) for _ in range(3)]
    for dead in dead_ones:
        dead.expect("ready")
        dead.signal(signal.SIGKILL)
        dead.process.wait()
    until(lambda: living(descendants()) <= {living_one.pid} | descendants(living_one.pid))
    for _ in range(3):
        assert run(code="pass").status == 0
    left.check_cgroups()
    ran = living_one.finish()
    assert (ran.status, ran.stdout) == (0, "still here\n")
    reap()
    left.check()


@pytest.mark.vm
@pytest.mark.alone
def test_two_that_start_at_once_over_a_dead_ones_remains_do_not_disturb_each_other(run, left):
    for _ in range(1 if QUICK else 3):
        dead = [run.start(code=FORKER) for _ in range(4)]
        for each in dead:
            each.expect("ready")
        for each in dead:
            each.signal(signal.SIGKILL)
            each.process.wait()
        new = [run.start(code="print('ran')") for _ in range(8)]
        for each in new:
            ran = each.finish()
            assert (ran.status, ran.stdout) == (0, "ran\n"), ran
        all_dead()
    assert run(code="pass").status == 0
    left.check()


# ── Many ─────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.vm("root", "user")
@pytest.mark.alone
@pytest.mark.slow
def test_a_thousand_runs_in_a_row_leave_nothing(run, left):
    for i in range(30 if QUICK else 1000):
        ran = run(code=f"open('/tmp/x', 'w').write('x'); print({i})")
        assert (ran.status, ran.stdout) == (0, f"{i}\n"), ran
        run.close()
        run._started.clear()
    left.check()


@pytest.mark.vm
@pytest.mark.alone
@pytest.mark.slow
def test_two_hundred_jobs_at_once_leave_nothing(run, left):
    jobs = [run.start(code="import sys; print('ready', flush=True); print(sys.stdin.read())")
            for _ in range(20 if QUICK else 200)]
    for job in jobs:
        job.expect("ready")
    # All of them run now.
    assert all(job.process.poll() is None for job in jobs)
    for i, job in enumerate(jobs):
        ran = job.finish(str(i).encode())
        assert (ran.status, ran.stdout) == (0, f"{i}\n"), ran
    run._started.clear()
    left.check()


def test_two_jobs_at_once_do_not_mix_their_output(run):
    jobs = [run.start(code=f"for i in range(20000): print('{i}')") for i in range(4)]
    for i, job in enumerate(jobs):
        assert set(job.finish().stdout.split()) == {str(i)}

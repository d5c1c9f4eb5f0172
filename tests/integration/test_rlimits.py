"""A script may set limits of its own, as it may in a container: contest solutions and the harnesses that run them begin
with it. The job itself is held by its cgroup and its tmpfs."""

import errno
import pathlib
import re
import resource

import pytest

from sandbox_run import SANITIZE

pytestmark = pytest.mark.vm("root")

MIB = 1 << 20
UNLIMITED = resource.RLIM_INFINITY


def set_in(run, name, *limits, **surroundings):
    """What a script that sets a limit to one pair after the other has then."""
    return run(code=f"""
        import json, resource
        for pair in {limits!r}:
            hard = resource.getrlimit(resource.RLIMIT_{name})[1]
            resource.setrlimit(resource.RLIMIT_{name}, tuple(hard if limit is None else limit for limit in pair))
        print(json.dumps(resource.getrlimit(resource.RLIMIT_{name})))
        """, **surroundings).value


@pytest.mark.parametrize("name,limits", [
    ("STACK", [(UNLIMITED, UNLIMITED)]), ("STACK", [(None, None)]), ("STACK", [(256 * MIB, UNLIMITED)]),
    ("STACK", [(4096 * MIB, 4096 * MIB)]), ("STACK", [(64 * MIB, None), (512 * MIB, None)]),
    ("AS", [(256 * MIB, 256 * MIB)]), ("AS", [(4096 * MIB, None), (None, None)]), ("AS", [(UNLIMITED, UNLIMITED)]),
    ("DATA", [(256 * MIB, 256 * MIB)]), ("DATA", [(UNLIMITED, UNLIMITED)]), ("RSS", [(256 * MIB, 256 * MIB)]),
    ("CPU", [(2, None), (None, None)]), ("CPU", [(1, 2)]), ("CPU", [(UNLIMITED, UNLIMITED)]),
    ("FSIZE", [(MIB, MIB)]), ("FSIZE", [(0, None), (None, None)]), ("FSIZE", [(UNLIMITED, UNLIMITED)]),
    ("NPROC", [(10, None), (None, None)]), ("NPROC", [(0, 0)]), ("NOFILE", [(64, None), (None, None)]),
], ids=str)
def test_a_script_sets_its_own_limits(run, name, limits):
    soft, hard = set_in(run, name, *limits)
    assert soft == (hard if limits[-1][0] is None else limits[-1][0])
    assert limits[-1][1] in (hard, None)


def test_the_stack_is_8_mib_until_a_script_raises_it(run):
    assert set_in(run, "STACK") == [8 * MIB, UNLIMITED]


# ── The caller's ─────────────────────────────────────────────────────────────────────────────────


LOWER = [("STACK", 64 << 10), ("STACK", 4 * MIB), ("CPU", 5), ("NOFILE", 100), ("FSIZE", 0), ("NPROC", 60), ("SIGPENDING", 1)]
if not SANITIZE:  # whose shadow takes more
    LOWER += [("AS", 300 * MIB), ("DATA", 20 * MIB)]
SHOW = ("import json, resource; print(json.dumps({name: resource.getrlimit(getattr(resource, name))"
        " for name in dir(resource) if name.startswith('RLIMIT_')}))")


def lower(name, soft, hard):
    kind = 11 if name == "SIGPENDING" else getattr(resource, f"RLIMIT_{name}")  # which python has no name for
    return lambda: resource.setrlimit(kind, (soft, hard))


def may_raise():
    """CAP_SYS_RESOURCE."""
    status = pathlib.Path("/proc/self/status").read_text("ascii")
    return int(re.search(r"CapEff:\s*(\w+)", status)[1], 16) >> 24 & 1


@pytest.mark.parametrize("name,limit", LOWER, ids=str)
def test_a_hard_limit_of_the_callers_is_lifted_or_refused_and_never_the_scripts_fault(run, name, limit):
    before = lower(name, limit, limit)
    ran = run(code=SHOW, preexec_fn=before)
    if may_raise():
        assert ran.value == run(code=SHOW).value
        return
    assert (ran.status, ran.stdout) == (125, ""), ran
    assert "ulimit -H" in ran.stderr and "--allow-missing rlimits" in ran.stderr, ran
    if limit >= MIB or name in ("CPU", "NOFILE", "NPROC", "SIGPENDING"):
        ran = run("--best-effort", json=True, code="print(1)", preexec_fn=before)
        assert (ran.verdict["output"], ran.verdict["enforcement"]["missing"]) == ("1", ["rlimits"]), ran


@pytest.mark.parametrize("name,limit", [(name, limit) for name, limit in LOWER if name != "NOFILE"], ids=str)
def test_a_soft_limit_of_the_callers_does_not_reach_the_job(run, name, limit):
    kept = resource.getrlimit(11 if name == "SIGPENDING" else getattr(resource, f"RLIMIT_{name}"))[1]
    assert run(code=SHOW, preexec_fn=lower(name, limit, kept)).value == run(code=SHOW).value


def test_a_hard_limit_that_the_job_cannot_reach_is_no_matter(run):
    ran = run("--cpu-time", "2", code="print(1)", preexec_fn=lower("CPU", 5, 5))
    assert (ran.status, ran.stdout, ran.stderr) == (0, "1\n", ""), ran


# ── Without a cgroup ─────────────────────────────────────────────────────────────────────────────


WITHOUT = ["--cgroup", "none", "--best-effort", "--cpu-time", "1", "--timeout", "600"]


def test_without_a_cgroup_each_process_is_held_to_its_cpu_time_and_the_verdict_says_so(run):
    ran = run(*WITHOUT, json=True, code="while True: pass")
    assert (ran.status, ran.verdict["verdict"], ran.verdict["signal"]) == (124, "cpu_time", "SIGKILL"), ran
    assert ran.verdict["usage"]["cpu_time_ms"] > 0
    assert ran.verdict["enforcement"]["missing"][-1] == "cpu_time"


def test_without_a_cgroup_a_script_outlives_a_child_that_has_used_its_cpu_time(run):
    ran = run(*WITHOUT, code="""
        import os, signal
        pid = os.fork()
        while pid == 0:
            pass
        print(signal.Signals(os.waitpid(pid, 0)[1]).name)
        """)
    assert (ran.status, ran.stdout) == (0, "SIGKILL\n"), ran


def test_without_a_cgroup_a_script_that_kills_itself_has_not_used_its_cpu_time(run):
    ran = run(*WITHOUT, json=True, code="import os; os.kill(os.getpid(), 9)")
    assert ran.verdict["verdict"] == "signal", ran


# ── Stacks ───────────────────────────────────────────────────────────────────────────────────────


STACK_OF_A_THREAD = """
    import ctypes, threading
    libc = ctypes.CDLL(None)
    def look():
        attributes, size = ctypes.create_string_buffer(256), ctypes.c_size_t()
        libc.pthread_self.restype = ctypes.c_void_p
        libc.pthread_getattr_np(ctypes.c_void_p(libc.pthread_self()), attributes)
        libc.pthread_attr_getstacksize(attributes, ctypes.byref(size))
        print(size.value >> 20)
    thread = threading.Thread(target=look)
    thread.start()
    thread.join()
    """


@pytest.mark.parametrize("limit", [MIB, 64 * MIB, UNLIMITED])
def test_the_stacks_of_threads_are_8_mib_whatever_the_caller_had(run, limit):
    ran = run(code=STACK_OF_A_THREAD,
              preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_STACK, (limit, UNLIMITED)))
    assert ran.stdout == "8\n", ran


DEEP = """
    import functools, resource, sys, threading
    sys.setrecursionlimit(10**6)

    @functools.lru_cache(None)  # written in C: each call takes some of the C stack
    def depth(n):
        return 0 if n == 0 else 1 + depth(n - 1)
    """


def test_a_thread_with_a_large_stack_recurses_deeply(run):
    ran = run("--memory", "512M", code=DEEP + """
    threading.stack_size(256 << 20)
    thread = threading.Thread(target=lambda: print(depth(100000)))
    thread.start()
    thread.join()
    """)
    assert (ran.status, ran.stdout) == (0, "100000\n"), ran


def test_the_main_thread_recurses_deeply_once_the_stack_is_unlimited(run):
    """The kernel leaves at least 128 MiB for it, whatever the limit was when the program started."""
    code = DEEP + "{}print(depth(40000))"
    raised = "resource.setrlimit(resource.RLIMIT_STACK, (resource.RLIM_INFINITY, resource.RLIM_INFINITY)); "
    ran = run("--memory", "512M", code=code.format(raised))
    assert (ran.status, ran.stdout) == (0, "40000\n"), ran
    assert run("--memory", "512M", json=True, code=code.format("")).verdict["signal"] == "SIGSEGV"


def test_the_guard_of_a_harness_leaves_what_it_should(run):
    """Of human-eval and those that copied it: memory in three ways, then the solution in a child."""
    ran = run(code="""
        import resource, subprocess, sys
        most = 4 << 30
        for limit in (resource.RLIMIT_AS, resource.RLIMIT_DATA, resource.RLIMIT_STACK):
            resource.setrlimit(limit, (most, most))
        subprocess.run([sys.executable, "-c", "print(sum(range(10)))"], check=True)
        try:
            bytearray(5 << 30)
        except MemoryError:
            print("MemoryError", flush=True)
        """)
    assert (ran.status, ran.stdout) == (0, "45\nMemoryError\n"), ran


def test_a_cpu_limit_of_a_scripts_own_ends_its_child_and_no_more(run):
    ran = run(code="""
        import os, resource, signal
        pid = os.fork()
        if pid == 0:
            resource.setrlimit(resource.RLIMIT_CPU, (1, 2))
            while True:
                pass
        print(signal.Signals(os.WTERMSIG(os.waitpid(pid, 0)[1])).name)
        """)
    assert (ran.status, ran.stdout) == (0, "SIGXCPU\n"), ran


# ── Files that are longer than what is written to them ───────────────────────────────────────────


SPARSE = {
    "truncate": """
        with open("/tmp/file", "wb") as file:
            file.truncate(200 << 20)
        print(os.stat("/tmp/file").st_size >> 20, os.stat("/tmp/file").st_blocks)
        """,
    "seek": """
        with open("file", "wb") as file:
            file.seek((200 << 20) - 1)
            file.write(b"x")
        print(os.stat("file").st_size >> 20, os.stat("file").st_blocks // 8 - 1)
        """,
    "mmap": """
        with open("/dev/shm/file", "w+b") as file:
            file.truncate(200 << 20)
            with mmap.mmap(file.fileno(), 0) as memory:
                memory[150 << 20] = 1
                print(len(memory) >> 20, memory[0])
        """,
    "shared memory": """
        memory = shared_memory.SharedMemory(create=True, size=200 << 20)
        memory.buf[100 << 20] = 7
        print(memory.size >> 20, memory.buf[0])
        memory.unlink()
        """,
    "sqlite": """
        base = sqlite3.connect("/tmp/base")
        base.execute("PRAGMA mmap_size = 1073741824")
        base.execute("CREATE TABLE t (x)")
        base.execute("INSERT INTO t VALUES (200)")
        base.commit()
        print(base.execute("SELECT x FROM t").fetchone()[0], 0)
        """,
}


@pytest.mark.parametrize("how", SPARSE)
def test_a_sparse_file_may_be_longer_than_tmp_bytes(run, how):
    imports = "import mmap, os, sqlite3\nfrom multiprocessing import shared_memory\n"
    ran = run("--tmp", "64M", run.script(imports + "\n".join(line[8:] for line in SPARSE[how].splitlines())))
    assert (ran.status, ran.stdout) == (0, "200 0\n"), ran


@pytest.mark.parametrize("how", ["os.write(fd, bytes(65536))", "os.posix_fallocate(fd, 0, 5 << 20)",
                                 "os.pwrite(fd, bytes(65536), count << 30)"])
def test_more_than_tmp_bytes_of_data_is_no_space_left(run, how):
    """Never SIGXFSZ, nor "File too large"."""
    ran = run("--tmp", "4M", code=f"""
        import os
        fd = os.open("/tmp/file", os.O_RDWR | os.O_CREAT)
        try:
            for count in range(1000):
                {how}
        except OSError as error:
            print(error.errno, os.fstat(fd).st_blocks * 512 <= 4 << 20)
        """)
    assert (ran.status, ran.stdout) == (0, f"{errno.ENOSPC} True\n"), ran

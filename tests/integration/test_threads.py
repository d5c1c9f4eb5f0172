"""libsandbox in a program with threads, which come and go. Each may have a sandbox of its own."""

import os
import shutil
import subprocess

import pytest

from sandbox_run import CHECKOUT, LIBRARY, QUICK, SANITIZE

pytestmark = [pytest.mark.cold, pytest.mark.skipif(shutil.which("cc") is None, reason="no C compiler here")]
PROGRAM = CHECKOUT / "tests" / "integration" / "threads.c"
JOBS = 20 if QUICK else 100

# Of the C library: functions that neither take a lock nor allocate (signal-safety(7)). `syscall` makes a call and sets
# errno.
HARMLESS = {"syscall", "clock_gettime", "__errno_location", "memcpy", "memset", "memmove", "memcmp", "strlen",
            "strchr", "strcmp", "strncmp", "__stack_chk_fail", "_GLOBAL_OFFSET_TABLE_"}


def run(program, *arguments, **environment):
    ran = subprocess.run([program, *map(str, arguments)], capture_output=True, text=True, env=os.environ | environment)
    return ran.returncode, ran.stdout, ran.stderr


def test_a_cold_job_starts_while_other_threads_are_made_and_end(compiled):
    assert run(compiled(PROGRAM), 1, 3 * JOBS, "default") == (0, f"{3 * JOBS} good\n", "")


def test_a_warm_job_starts_while_other_threads_are_made_and_end(compiled):
    assert run(compiled(PROGRAM), 1, JOBS, "run", "warm") == (0, f"{JOBS} good, some of them warm\n", "")


@pytest.mark.vm("delegated")
def test_eight_threads_have_a_sandbox_each(compiled):
    assert run(compiled(PROGRAM), 8, JOBS // 2, "default") == (0, f"{8 * (JOBS // 2)} good\n", "")


def test_eight_threads_have_a_sandbox_with_warm_starts_each(compiled):
    assert run(compiled(PROGRAM), 8, JOBS // 4, "run", "warm") == (0, f"{8 * (JOBS // 4)} good, some of them warm\n", "")


@pytest.mark.skipif("SANDBOX_TEST_TSAN" not in os.environ, reason="needs a library with the thread sanitizer")
@pytest.mark.parametrize("arguments", [(8, 5, "default"), (8, 5, "run", "warm")], ids=["cold", "warm"])
def test_the_thread_sanitizer_finds_no_fault(tmp_path, arguments):
    library = os.environ["SANDBOX_TEST_TSAN"]
    subprocess.run(["cc", "-std=gnu17", "-g", "-fsanitize=thread", "-I", CHECKOUT / "include", "-o", tmp_path / "program",
                    PROGRAM, "-L", library, "-lsandbox", f"-Wl,-rpath,{library}"], check=True)
    # It wants the addresses where they were before Linux had as many random bits.
    status, out, err = run("setarch", "-R", tmp_path / "program", *arguments)
    assert (status, out.split(",")[0].strip(), err) == (0, "40 good", "")


def nm(*arguments):
    lines = subprocess.run(["nm", *arguments], check=True, capture_output=True, text=True).stdout.splitlines()
    return {line.split()[-1] for line in lines if not line.endswith(":") and line.strip()}


@pytest.mark.skipif(bool(SANITIZE), reason="a sanitizer adds functions of its own")
def test_what_runs_between_clone_and_execve_calls_nothing_that_takes_a_lock_or_allocates():
    objects = [path for path in (LIBRARY.parent / "inside/libinside.a.p").iterdir() if path.suffix == ".o"]
    assert {"ids.c.o", "init.c.o", "inside.c.o", "remount.c.o"} <= {path.name for path in objects}
    own = set().union(*(nm("--defined-only", path) for path in objects))
    called = {path.name: sorted(nm("--undefined-only", path) - own - HARMLESS) for path in objects}
    assert {name: names for name, names in called.items() if names} == {}

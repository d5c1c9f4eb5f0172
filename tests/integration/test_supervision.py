"""The supervisor keeps its promises when things go wrong around it: when its caller has bad habits, when descriptors run
out, when a job is killed from outside or the supervisor itself half-way through a start."""

import os
import pathlib
import re
import signal
import subprocess

import pytest

from host import cpu_quota
from processes import descendants, in_pid_namespace, living, reap
from sandbox_run import CHECKOUT, QUICK
from waiting import until

SOURCE = CHECKOUT / "tests" / "integration" / "supervision.c"


@pytest.fixture
def supervision(compiled):
    """supervision(command, …) runs a subcommand of supervision.c; returns the lines that it prints."""
    program = compiled(SOURCE)

    def call(*arguments, status=0):
        ran = subprocess.run([program, *arguments], stdin=subprocess.DEVNULL, capture_output=True, text=True)
        assert (ran.returncode, ran.stderr) == (status, ""), ran
        return ran.stdout.splitlines()

    return call


def skip_without_cgroups(host):
    if host.cgroup == "none":
        pytest.skip("this host has no cgroups")


# ── Opening and starting ─────────────────────────────────────────────────────────────────────────


def test_a_failed_open_closes_no_descriptor_of_its_caller_and_leaves_none(supervision):
    assert supervision("failed-open") == ["refused", "refused", "refused", "opened"]


@pytest.mark.parametrize("uids,said", [
    ("4294967295:2", "refused: uid_range"),
    ("4294967280:16", "refused: uid_range"),
    ("4294967280:15", "opened"),
    ("1:4294967295", "refused: uid_range"),
    ("0:4294967295", "refused: uid_range"),
])
def test_a_range_of_uids_that_would_wrap_round_to_root_is_refused(supervision, uids, said):
    assert supervision("uid-range", uids) == [said]


@pytest.mark.vm
@pytest.mark.alone
def test_a_failed_start_closes_no_descriptor_of_its_caller_and_leaves_nothing(left, supervision):
    assert supervision("failed-start") == ["ok", "ok"]
    left.check()


@pytest.mark.vm
@pytest.mark.alone
@pytest.mark.parametrize("moment", ["first", "maps", "go", "gone"])
def test_a_sigkill_of_the_supervisor_half_way_through_a_start_leaves_nothing(run, left, supervision, moment):
    for _ in range(3 if QUICK else 10):
        assert supervision("killed-start", moment, status=-signal.SIGKILL) == []
        until(lambda: not living(descendants()))
        reap()
    assert run(code="pass").status == 0  # the next start removes what is left of cgroups
    left.check()


@pytest.mark.vm("root")
@pytest.mark.parametrize("quota", [500, 1500])
def test_no_more_cpus_are_counted_than_the_cgroups_that_it_is_in_allow(compiled, host, quota):
    there = 1000 * len(os.sched_getaffinity(0))
    with cpu_quota(host, quota) as prefix:
        counted = subprocess.run([*prefix, compiled(SOURCE), "millicpus"], capture_output=True, text=True, check=True)
    assert int(counted.stdout) == min(quota, there)


def test_no_more_cpus_are_counted_than_it_may_run_on(compiled):
    one = min(os.sched_getaffinity(0))
    counted = subprocess.run(["taskset", "-c", str(one), compiled(SOURCE), "millicpus"], capture_output=True, text=True, check=True)
    assert int(counted.stdout) == 1000


# ── Streams ──────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("kind", ["pipe", "socket", "terminal"])
def test_two_jobs_that_are_fed_from_one_descriptor_never_block_their_supervisor(supervision, kind):
    assert supervision("shared-stdin", kind) == ["timeout", "timeout"]


def test_closing_returns_with_a_paused_stream_and_a_job_that_floods_it(supervision):
    assert supervision("close-while-paused") == ["closing with 1 running", "closed"]


def test_the_policy_that_output_kills_holds_for_what_is_read_after_the_scripts_end(supervision, policy):
    assert supervision("late-output", "", policy(output="kill", limits={"output_bytes": 5000})) == ["1 running", "output"]


@pytest.mark.parametrize("limit", ["output", "result"])
def test_a_limit_of_no_bytes_is_refused_with_what_is_allowed(run, limit):
    ran = run(f"--{limit}", "0", code="print('ran')")
    assert (ran.status, ran.stdout) == (125, "")
    assert ran.stderr.startswith(f"sandbox-run: --{limit} can't be 0: give a value from 1 ")


def test_an_exception_is_one_however_small_the_limit_of_the_result(run):
    ran = run("--result", "8", json=True, code="raise ModuleNotFoundError('x')")
    assert (ran.status, ran.verdict["verdict"], ran.verdict["exit_code"]) == (1, "exception", 1), ran
    assert ran.verdict["error"].rstrip().endswith("ModuleNotFoundError: x")


@pytest.mark.parametrize("end", ["raise ValueError", "def value(): return 1"], ids=["exception", "result"])
def test_nothing_is_written_into_a_file_that_the_script_opened_where_the_results_descriptor_was(run, end):
    ran = run("--call", "value", json=True, code=f"""
import atexit, os
os.close(3)
mine = open("/work/mine", "w+")
assert mine.fileno() == 3
atexit.register(lambda: print("content:", repr(open("/work/mine").read())))
{end}
""")
    assert ran.verdict["stdout"] == "content: ''\n", ran
    assert ran.verdict["verdict"] in ("ok", "exit")
    assert ran.verdict["result"] is None


# ── Evidence ─────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.vm
@pytest.mark.parametrize("limit", ["cpu_time", "memory"])
def test_a_limit_holds_and_is_named_when_the_supervisor_has_no_descriptor_left(supervision, host, limit):
    skip_without_cgroups(host)
    assert supervision("no-descriptors", limit) == [limit]


@pytest.mark.vm("root")
def test_a_child_that_is_killed_for_memory_takes_its_sleeping_parent_along(run, host):
    skip_without_cgroups(host)
    for _ in range(10):
        ran = run("--memory", "64M", json=True, code="""
            import os, time
            if os.fork() == 0:
                x = bytearray(1 << 30)
                os._exit(0)
            time.sleep(1000)
            print("survived")
            """)
        assert (ran.status, ran.verdict["verdict"], ran.verdict["stdout"]) == (137, "memory", ""), ran


def first_process(namespace):
    """The job's pid 1 as the host sees it, by its pid namespace: children that wait for a job have a pid 1, too."""
    for pid in in_pid_namespace(namespace):
        if re.search(r"^NSpid:.*\t1$", pathlib.Path(f"/proc/{pid}/status").read_text(), re.MULTILINE):
            return pid
    raise AssertionError("no pid 1 of the job")


@pytest.mark.vm("root")
def test_a_job_whose_first_process_is_killed_from_outside_is_not_said_to_have_ended_itself(run):
    started = run.start(meta=True, code="""
        import os, time
        print(os.stat("/proc/self/ns/pid").st_ino, flush=True)
        time.sleep(1000)
        """)
    namespace = int(started.readline())
    os.kill(first_process(namespace), signal.SIGKILL)
    ran = started.finish()
    assert (ran.status, ran.verdict["verdict"], ran.verdict["exit_code"]) == (125, "internal", None), ran
    assert "ended from outside the sandbox (signal 9)" in ran.verdict["error"]
    assert not in_pid_namespace(namespace)


def test_a_caller_that_takes_the_exit_of_a_job_with_a_wait_of_its_own_still_gets_a_verdict(supervision):
    assert supervision("stolen-exit") == ["stolen", "ok"]


def test_a_turn_within_a_callback_is_an_error(supervision):
    assert supervision("turn-in-callback") == ["refused: EBUSY", "refused: EBUSY", "ok"]


def test_a_close_within_a_callback_does_nothing(supervision):
    assert supervision("close-in-callback") == ["0 running", "ok", "0 running", "ok"]


@pytest.mark.vm("root")
def test_a_job_is_not_throttled_while_it_dies(supervision, host):
    skip_without_cgroups(host)
    *kills, word = supervision("throttled")
    assert word == "timeout"
    if not kills:
        pytest.skip("this kernel has no cgroup.kill to watch")
    assert set(kills) <= {"killed with a quota of -1", "killed with a quota of max 100000"}

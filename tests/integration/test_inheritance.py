"""A job inherits nothing of its caller except for the CPUs, and priorities that are below the ordinary. Most tests
start sandbox-run in strange surroundings."""

import ctypes
import errno
import os
import pathlib
import resource
import signal
import subprocess

import pytest

from job_description import describe_in
from kernel import libc, number_of
from processes import descendants
from sandbox_run import SANITIZE

pytestmark = pytest.mark.vm("delegated")


# ── What is not inherited ────────────────────────────────────────────────────────────────────────


def test_the_environment_is_the_policys_and_nothing_else(inside, run, default_policy):
    expected = default_policy["environment"]
    names = dict(item.split("=", 1) for item in inside["environ"].split("\0") if item)
    assert names == expected
    assert names["HOME"] == "/work" and names["TMPDIR"] == "/tmp"
    strange = {"SECRET": "1", "PYTHONPATH": "/x", "LD_PRELOAD": "", "PYTHONSTARTUP": "/x",
               "LC_ALL": "C", "TZ": "Asia/Tokyo", "PYTHONHASHSEED": "1", "PYTHONHOME": ""}
    assert describe_in(run, env=strange)["environ"] == inside["environ"]


def test_descriptors_are_three_pipes_and_the_result(inside, run):
    def check(description):
        descriptors = {int(fd): kind for fd, kind in description["descriptors"].items()}
        assert set(descriptors) <= {0, 1, 2, 3}, descriptors
        assert 3 not in descriptors or descriptors[3][1] is False  # closed on exec

    check(inside)
    opened = [os.open("/etc/passwd", os.O_RDONLY) for _ in range(10)]
    high = os.dup2(opened[0], 900)
    try:
        check(describe_in(run, pass_fds=[*opened, high]))
    finally:
        for fd in (*opened, high):
            os.close(fd)


def test_a_program_that_the_script_starts_has_three_descriptors(run):
    ran = run(code="""
        import os, sys
        code = "print([fd for fd in range(1000) if os.path.exists(f'/proc/self/fd/{fd}')])"
        os.execv(sys.executable, [sys.executable, "-c", "import os; " + code])
        """)
    assert ran.stdout == "[0, 1, 2]\n", ran


def strange_signals():
    for number in range(1, 65):
        if number not in (signal.SIGKILL, signal.SIGSTOP, 32, 33, signal.SIGCHLD):
            signal.signal(number, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_BLOCK, set(range(1, 65)) - {32, 33})


@pytest.mark.parametrize("key", ["SigBlk", "SigIgn", "SigCgt"])
def test_signal_mask_and_dispositions_are_the_same_whatever_the_caller_had(inside, run, key):
    strange = describe_in(run, preexec_fn=strange_signals, restore_signals=False)
    assert strange["status"][key] == inside["status"][key]


def test_nothing_is_blocked_and_nothing_ignored_but_what_python_ignores(inside):
    assert int(inside["status"]["SigBlk"], 16) == 0
    pythons = 1 << signal.SIGPIPE - 1 | 1 << signal.SIGXFSZ - 1
    assert int(inside["status"]["SigIgn"], 16) == pythons


def test_an_ignored_sigchld_of_the_caller_does_no_harm(run):
    ran = run(code="import os; print(os.WEXITSTATUS(os.waitpid(os.spawnv(os.P_NOWAIT, "
                   "'/bin/sh', ['sh', '-c', 'exit 5']), 0)[1]))",
              preexec_fn=lambda: signal.signal(signal.SIGCHLD, signal.SIG_IGN))
    assert (ran.status, ran.stdout) == (0, "5\n")


def test_the_umask_is_fixed(inside, run):
    assert inside["umask"] == 0o022
    for mask in (0o000, 0o077, 0o777):
        assert describe_in(run, preexec_fn=lambda: os.umask(mask))["umask"] == 0o022


def test_a_strange_umask_of_the_caller_does_no_harm_to_files(run, tmp_path):
    (tmp_path / "helper.py").write_text("x = 1")
    ran = run("--files", tmp_path / "helper.py", run.script("import helper; print(helper.x)"),
              preexec_fn=lambda: os.umask(0o777))
    assert ran.stdout == "1\n", ran


def test_the_working_directory_is_work(inside, run):
    assert inside["cwd"] == "/work"
    assert describe_in(run, cwd="/")["cwd"] == "/work"


def test_it_runs_from_a_directory_that_is_gone(run, tmp_path):
    (tmp_path / "gone").mkdir()

    def go():
        os.chdir(tmp_path / "gone")
        os.rmdir(tmp_path / "gone")

    assert run(code="import os; print(os.getcwd())", preexec_fn=go).stdout == "/work\n"


def test_rlimits_are_the_same_whatever_the_caller_had(inside, run):
    def lower():
        for kind, value in ((resource.RLIMIT_FSIZE, 1 << 20), (resource.RLIMIT_STACK, 1 << 20),
                            (resource.RLIMIT_CORE, 0), (resource.RLIMIT_NOFILE, 64),
                            (resource.RLIMIT_MEMLOCK, 4096), (resource.RLIMIT_CPU, 1000),
                            (resource.RLIMIT_DATA, 1 << 30), (resource.RLIMIT_AS, 1 << 32)):
            if SANITIZE and kind in (resource.RLIMIT_AS, resource.RLIMIT_DATA):
                continue  # AddressSanitizer's shadow memory needs terabytes of addresses
            resource.setrlimit(kind, (value, resource.getrlimit(kind)[1]))

    strange = describe_in(run, preexec_fn=lower)["rlimits"]
    for kind, value in inside["rlimits"].items():
        assert strange[kind] == value, kind


def test_core_dumps_are_off(inside):
    # Only with 1 the kernel leaves a core_pattern that is a pipe alone: core(5).
    assert inside["core"] == ["1", "1"]


@pytest.mark.parametrize("limits", [(0, 0), (0, 1), (1 << 30, 1 << 30), (-1, -1)], ids=str)
def test_core_dumps_stay_off_whatever_a_script_sets(run, limits):
    """Programs that switch them off, as daemons and harnesses do, are not told no."""
    ran = run(code=f"""
        import resource, subprocess
        resource.setrlimit(resource.RLIMIT_CORE, {limits!r})
        print(resource.getrlimit(resource.RLIMIT_CORE), flush=True)
        subprocess.run("ulimit -c 0 && ulimit -c unlimited; grep core /proc/self/limits", shell=True, check=True)
        try:
            resource.prlimit(0, resource.RLIMIT_CORE, {limits!r})
        except PermissionError:
            print("refused")
        """)
    assert (ran.status, ran.stdout.split()) == (0, ["(1,", "1)", "Max", "core", "file", "size", "1", "1", "bytes", "refused"])


def test_open_files_are_limited_as_the_policy_says(inside, default_policy):
    assert inside["rlimits"]["RLIMIT_NOFILE"] == [default_policy["limits"]["open_files"]] * 2


# ── Its share of the machine: what stands back for others is kept, what takes precedence is not ──


def io_priority(level, kind):
    number = 251 if os.uname().machine == "x86_64" else 30
    assert libc.syscall(number, 1, 0, kind << 13 | level) == 0  # ioprio_set(IOPRIO_WHO_PROCESS, self, …)


def scheduler(policy, priority=0):
    os.sched_setscheduler(0, policy, os.sched_param(priority))


@pytest.mark.parametrize("cpus", [{cpu} for cpu in sorted(os.sched_getaffinity(0))[:2]], ids=str)
def test_the_cpus_of_the_caller_are_the_jobs(run, cpus):
    ran = run(code="""
        import json, os, subprocess
        print(json.dumps([sorted(os.sched_getaffinity(0)), os.cpu_count(),
                          int(subprocess.run("nproc", capture_output=True).stdout)]))
        """, preexec_fn=lambda: os.sched_setaffinity(0, cpus))
    assert ran.value == [sorted(cpus), 1, 1]


def test_a_job_has_all_cpus_that_its_caller_has(run):
    assert run(code="import os; print(len(os.sched_getaffinity(0)) - os.cpu_count())").stdout == "0\n"
    assert run(code="import os, json; print(json.dumps(sorted(os.sched_getaffinity(0))))").value == \
        sorted(os.sched_getaffinity(0))


@pytest.mark.parametrize("nice", [10, 19])
def test_a_nice_caller_has_nice_jobs(run, nice):
    assert describe_in(run, preexec_fn=lambda: os.setpriority(os.PRIO_PROCESS, 0, nice))["nice"] == nice


def test_a_job_cannot_be_less_nice_than_its_caller(run):
    ran = run(preexec_fn=lambda: os.setpriority(os.PRIO_PROCESS, 0, 10), code="""
        import os
        for nice in (9, 0, -1):
            try:
                os.setpriority(os.PRIO_PROCESS, 0, nice)
            except PermissionError:
                print(os.getpriority(os.PRIO_PROCESS, 0))
        """)
    assert ran.stdout == "10\n10\n10\n", ran


def test_a_priority_above_the_ordinary_one_is_not_the_jobs(run, host):
    host.skip_unless_root("raises a priority")
    strange = describe_in(run, preexec_fn=lambda: os.setpriority(os.PRIO_PROCESS, 0, -10))
    assert strange["nice"] == 0


@pytest.mark.parametrize("policy", [os.SCHED_BATCH, os.SCHED_IDLE])
def test_a_scheduling_policy_that_stands_back_is_kept(run, policy):
    assert describe_in(run, preexec_fn=lambda: scheduler(policy))["scheduler"] == policy


@pytest.mark.parametrize("policy", [os.SCHED_FIFO, os.SCHED_RR, os.SCHED_FIFO | os.SCHED_RESET_ON_FORK])
def test_a_real_time_priority_of_the_caller_is_not_inherited(inside, run, host, policy):
    host.skip_unless_root("sets a real-time priority")
    try:
        strange = describe_in(run, preexec_fn=lambda: scheduler(policy, 1))
    except subprocess.SubprocessError:
        pytest.skip("this host gives no real-time priorities to this cgroup")
    assert strange["scheduler"] == os.SCHED_OTHER and strange["nice"] in (0, inside["nice"])


IDLE, BEST_EFFORT, REAL_TIME = 3, 2, 1


@pytest.mark.parametrize("level,kind", [(7, IDLE), (7, BEST_EFFORT), (5, BEST_EFFORT)])
def test_an_io_priority_that_stands_back_is_kept(run, level, kind):
    assert describe_in(run, preexec_fn=lambda: io_priority(level, kind))["ioprio"] == kind << 13 | level


@pytest.mark.parametrize("level,kind", [(0, REAL_TIME), (7, REAL_TIME), (0, BEST_EFFORT), (3, BEST_EFFORT)])
def test_an_io_priority_above_the_ordinary_one_is_not_the_jobs(inside, run, host, level, kind):
    if kind == REAL_TIME:
        host.skip_unless_root("sets a real-time priority")
    assert describe_in(run, preexec_fn=lambda: io_priority(level, kind))["ioprio"] == inside["ioprio"]


def test_a_nice_callers_jobs_weigh_less_against_other_jobs(run, host):
    """The kernel compares nice values within a cgroup; a job has one of its own."""
    def weight(nice):
        started = run.start(code="print('ready', flush=True); input()",
                            preexec_fn=lambda: os.setpriority(os.PRIO_PROCESS, 0, nice))
        started.expect("ready")
        names = {"v2": "cpu.weight", "v1": "cpu.shares"}
        found = {int(path.read_text()) for path in job_files(started, names[host.cgroup])}
        started.finish()
        return found

    if host.cgroup not in ("v1", "v2"):
        pytest.skip("no cgroup holds jobs here")
    ordinary_weight = {"v2": 100, "v1": 1024}[host.cgroup]
    assert weight(0) == {ordinary_weight}
    (ten,), (nineteen,) = weight(10), weight(19)
    assert ordinary_weight / 11 < ten < ordinary_weight / 8 and 1 <= nineteen < ten / 4


def job_files(started, name):
    """The file of that name in the cgroup of each job below a sandbox-run."""
    for pid in descendants(started.pid):
        for line in pathlib.Path(f"/proc/{pid}/cgroup").read_text().splitlines():
            _, controllers, path = line.split(":", 2)
            if "/job-" in path:
                mount = next(iter(controllers.split(",")))
                file = pathlib.Path("/sys/fs/cgroup", "cpu" if mount in ("cpu", "cpuacct") else mount, path[1:], name)
                if file.exists():
                    yield file


def test_personality_is_the_default(inside, run):
    assert int(inside["personality"], 16) == 0
    strange = describe_in(run, preexec_fn=lambda: libc.personality(0x0040000 | 0x400000))
    assert int(strange["personality"], 16) == 0


def test_the_oom_score_is_the_same_whatever_the_caller_had(inside, run):
    def raise_score():
        pathlib.Path("/proc/self/oom_score_adj").write_text("500")

    assert describe_in(run, preexec_fn=raise_score)["oom_score_adj"] == inside["oom_score_adj"]


@pytest.mark.vm("root")
def test_as_root_a_job_is_not_spared_by_the_out_of_memory_killer(run, host):
    host.skip_unless_root("lowers its own oom_score_adj")

    def lower_score():
        pathlib.Path("/proc/self/oom_score_adj").write_text("-500")

    try:
        subprocess.run(["true"], preexec_fn=lower_score)
    except subprocess.SubprocessError:
        pytest.skip("this host lets not even root lower an oom_score_adj")
    assert int(describe_in(run, preexec_fn=lower_score)["oom_score_adj"]) >= 0


def test_the_callers_keys_cannot_be_read(run):
    def make_key():
        add_key, keyctl = number_of("add_key"), number_of("keyctl")
        if libc.syscall(keyctl, 1, None) < 0:  # KEYCTL_JOIN_SESSION_KEYRING
            raise OSError(ctypes.get_errno(), "keyctl")
        if libc.syscall(add_key, b"user", b"secret", b"data", 4, -3) < 0:
            raise OSError(ctypes.get_errno(), "add_key")

    ran = run(preexec_fn=make_key, code=f"""
        import ctypes
        libc = ctypes.CDLL(None, use_errno=True)
        found = libc.syscall({number_of("request_key")}, b"user", b"secret", None, 0)
        print(found, ctypes.get_errno())
        found = libc.syscall({number_of("keyctl")}, 10, -3, b"user", b"secret", 0)  # SEARCH
        print(found, ctypes.get_errno())
        """)
    assert ran.stdout.split()[0::2] == ["-1", "-1"], ran
    assert set(ran.stdout.split()[1::2]) <= {"1", "38"}


def test_a_job_has_a_session_keyring_of_its_own(run, filter_allows):
    def make_key():
        libc.syscall(number_of("keyctl"), 1, None)
        libc.syscall(number_of("add_key"), b"user", b"secret", b"data", 4, -3)

    ran = run("--policy", filter_allows("keyctl"), preexec_fn=make_key, code=f"""
        import ctypes
        libc = ctypes.CDLL(None, use_errno=True)
        print(libc.syscall({number_of("keyctl")}, 10, -3, b"user", b"secret", 0))
        print(ctypes.get_errno())
        """)
    assert ran.stdout == f"-1\n{errno.ENOKEY}\n", ran

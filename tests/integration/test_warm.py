"""Warm starts: a job that is forked from a zygote sees what one that starts cold sees, and no other job."""

import ctypes
import errno
import json
import os
import pathlib
import re
import shutil
import subprocess

import pytest

from mountinfo import reachable
from kernel import libc, without
from processes import in_pid_namespace
from sandbox_run import CHECKOUT, rootfs_path

pytestmark = pytest.mark.skipif(shutil.which("cc") is None, reason="no C compiler here")

PR_GET_TID_ADDRESS = 40

# Runs in the job: all that it can tell of where it is.
LOOK = """
import json, os, signal, sys, resource
def text(path): return open(path).read()
status = dict(line.split(":", 1) for line in text("/proc/self/status").splitlines())
kept = ("Uid", "Gid", "Groups", "NSpid", "CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb", "NoNewPrivs", "Seccomp",
        "SigBlk", "SigIgn", "SigCgt", "Umask", "Threads", "TracerPid", "Cpus_allowed", "CoreDumping")
print(json.dumps({
    "status": {key: status.get(key, "").split() for key in kept},
    "mounts": text("/proc/self/mountinfo").splitlines(),
    "limits": text("/proc/self/limits"),
    "descriptors": sorted(os.listdir("/proc/self/fd")),
    "environment": sorted(os.environ.items()),
    "cgroup": sorted(line.split(":")[2] for line in text("/proc/self/cgroup").splitlines() if "sandbox" in line),
    "inside": text("/proc/self/uid_map").split()[0] + text("/proc/self/gid_map").split()[0],
    "setgroups": text("/proc/self/setgroups"),
    "cwd": os.getcwd(), "files": sorted(os.listdir(".")), "path": sys.path, "argv": sys.argv, "orig": sys.orig_argv,
    "flags": str(sys.flags), "main": sorted(vars(sys.modules["__main__"])), "name": __name__, "file": __file__,
    "pids": sorted(int(n) for n in os.listdir("/proc") if n.isdigit()), "sid": os.getsid(0), "pgid": os.getpgid(0),
    "signals": {str(s): str(signal.getsignal(s)) for s in signal.valid_signals() if s not in (9, 19)},
    "hostname": os.uname().nodename, "oom": text("/proc/self/oom_score_adj"), "comm": text("/proc/self/comm"),
    "priority": os.getpriority(os.PRIO_PROCESS, 0), "scheduler": os.sched_getscheduler(0),
    "streams": [str(s.encoding) + s.errors + str(s.line_buffering) for s in (sys.stdin, sys.stdout, sys.stderr)],
}))
"""


@pytest.fixture(params=[pytest.param("shared", marks=pytest.mark.vm), "copied"])
def memory(request):
    """A preexec_fn: the script's process takes over the interpreter in the memory of its pid 1, or, where that can't be
    done, has a copy of it."""
    return None if request.param == "shared" else without(get_robust_list=errno.ENOSYS)


@pytest.fixture
def warm(compiled, memory):
    """warm(code, …) runs each warm, all in one process, one after the other; gives the verdicts."""
    program = compiled(CHECKOUT / "tests" / "integration" / "warm.c")

    def run_warm(*scripts, policy="default"):
        ran = subprocess.run([program, os.environ["SANDBOX_POLICIES"], policy, rootfs_path(), *scripts],
                             capture_output=True, text=True, preexec_fn=memory)
        assert (ran.returncode, ran.stderr) == (0, ""), ran
        verdicts = [json.loads(line) for line in ran.stdout.splitlines()]
        assert len(verdicts) == len(scripts)
        for verdict in verdicts:
            assert verdict["enforcement"]["start"] == "warm", verdict
            assert verdict["enforcement"]["missing"] == [], verdict
        return verdicts

    return run_warm


@pytest.mark.parametrize("policy", ["default", "run"])
def test_a_warm_job_sees_what_a_cold_one_sees(run, warm, policy, tmp_path):
    script = tmp_path / "main.py"
    script.write_text(LOOK)
    cold = run("--policy", policy, script, cwd=tmp_path).value
    seen = json.loads(warm(LOOK, policy=policy)[0]["stdout"])
    for described in (cold, seen):
        # The command line gives the script's whole path, a job its name.
        described["argv"] = described["orig"] = None
        # A tmpfs tells whose it is on the host: a uid of each job's own.
        mounts = [re.sub(r"[ug]id=\d+", "id", line).split(" - ") for line in reachable(described["mounts"])]
        described["mounts"] = sorted(" ".join([*left.split()[3:6], right.split()[0], right.split()[2]])
                                     for left, right in mounts)
    assert seen == cold


def test_a_warm_job_ends_as_a_cold_one_does(warm):
    left, failed, crashed, interrupted = warm("print('x'); raise SystemExit(7)", "def f(): 1/0\nf()",
                                              "import os; os.kill(os.getpid(), 11)", "raise KeyboardInterrupt")
    assert left["exit_code"] == 7
    assert failed["verdict"] == "exception"
    assert failed["stderr"].splitlines()[0] == "Traceback (most recent call last):"
    assert 'File "main.py", line 2, in <module>' in failed["stderr"]
    assert crashed["signal"] == "SIGSEGV"
    assert interrupted["signal"] == "SIGINT"


def test_what_is_pid_1_of_a_warm_job_outlives_all_signals_of_its_script(run, memory):
    """Where memory is copied it is python still, with python's ways to end."""
    if memory is None and libc.prctl(PR_GET_TID_ADDRESS, ctypes.byref(ctypes.c_void_p()), 0, 0, 0) != 0:
        pytest.skip("memory is shared with the help of CONFIG_CHECKPOINT_RESTORE, which this kernel lacks")
    started = run.start("--start", "warm", meta=True, preexec_fn=memory, code="""
        import os, signal
        print(os.stat("/proc/self/ns/pid").st_ino, flush=True)
        input()
        for number in signal.valid_signals():
            try:
                os.kill(1, number)
            except PermissionError:
                pass
        print("alive")
        """)
    inside = in_pid_namespace(int(started.readline()))
    programs = sorted(pathlib.Path(os.readlink(f"/proc/{pid}/exe")).name for pid in inside)
    assert programs[0] == "memfd:init (deleted)" if memory is None else programs[0].startswith("python3"), programs
    ended = started.finish(b"\n")
    assert (ended.stdout, ended.meta["verdict"], ended.meta["enforcement"]["start"]) == ("alive\n", "ok", "warm")


def test_threads_and_signals_work_as_after_a_start_of_its_own(warm):
    """The C library has the thread's id, which is another one than the zygote's."""
    code = """
import os, signal, threading

caught = []
signal.signal(signal.SIGUSR1, lambda *_: caught.append("signal"))
signal.pthread_kill(threading.main_thread().ident, signal.SIGUSR1)
signal.raise_signal(signal.SIGUSR1)
thread = threading.Thread(target=lambda: caught.append("thread"))
thread.start()
thread.join()
child = os.fork()
if child == 0:
    signal.pthread_kill(threading.get_ident(), signal.SIGKILL)
print(caught, os.waitpid(child, 0)[1], threading.get_native_id() == os.getpid())
"""
    assert warm(code, policy="default")[0]["stdout"] == "['signal', 'signal', 'thread'] 9 True\n"


def test_warm_jobs_have_randomness_of_their_own(warm):
    look = ("import random, os, uuid, secrets, tempfile\n"
            "print(random.random(), os.urandom(8).hex(), uuid.uuid4(), secrets.token_hex(), next(tempfile._get_candidate_names()))")
    outputs = [verdict["stdout"] for verdict in warm(*[look] * 4)]
    for column in zip(*(output.split() for output in outputs)):
        assert len(set(column)) == 4, column


def test_a_warm_job_finds_nothing_of_the_one_before(warm):
    leave = ("import os, sys, builtins\n"
             "print(sorted(os.listdir('/work') + os.listdir('/tmp')), hasattr(builtins, 'trace'), 'left' in os.environ)\n"
             "builtins.trace = 1; os.environ['left'] = '1'; open('/tmp/left', 'w').write('x'); open('/work/left', 'w').write('x')\n")
    assert {verdict["stdout"] for verdict in warm(*[leave] * 4)} == {"['main.py'] False False\n"}


def test_limits_hold_warm(warm, tmp_path, monkeypatch):
    policies = shutil.copytree(os.environ["SANDBOX_POLICIES"], tmp_path / "policies")
    run = json.loads((policies / "run.json").read_text())
    run["limits"]["wall_time_ms"] = 1000
    (policies / "run.json").write_text(json.dumps(run))
    monkeypatch.setenv("SANDBOX_POLICIES", str(policies))
    assert warm("x = bytearray(4 << 30)")[0]["verdict"] in ("memory", "exception")
    endless, writing = warm("import time\nwhile True: time.sleep(1)", "open('/tmp/x', 'w')", policy="run")
    assert endless["verdict"] == "timeout"
    assert "Read-only file system" in writing["stderr"]


@pytest.mark.vm
@pytest.mark.parametrize("limit", ["64M", "256M"])
def test_a_warm_jobs_limits_are_its_own(run, limit):
    """Raised or lowered against those that its child was made with."""
    ran = run("--start", "warm", "--memory", limit, "--pids", "7", code="""
        blocks = []
        while True:
            blocks.append(b"x" * (1 << 20))
            print(len(blocks), flush=True)
        """, json=True)
    assert (ran.verdict["verdict"], ran.verdict["enforcement"]["start"]) == ("memory", "warm")
    most = int(limit[:-1])
    assert most - 10 <= int(ran.verdict["stdout"].split()[-1]) <= most


def test_a_script_with_the_name_of_a_module_is_imported_in_its_place(run, tmp_path):
    """The zygote has imported json already."""
    (tmp_path / "json.py").write_text("print(__name__)\nif __name__ == '__main__':\n    import json\n")
    for start in ("cold", "warm"):
        assert run("--start", start, tmp_path / "json.py").stdout == "__main__\njson\n"


def test_a_script_that_wants_no_buffer_starts_warm(run):
    ran = run("--start", "warm", "--env", "PYTHONUNBUFFERED=1", json=True, code="""
        import os, sys
        print("part", end="")
        print(sys.stdout.write_through, sys.stdout.encoding, sys.stdout.name, sys.stdout is sys.__stdout__, end="")
        os._exit(0)
        """)
    assert (ran.verdict["stdout"], ran.verdict["enforcement"]["start"]) == ("partTrue utf-8 <stdout> True", "warm")


@pytest.mark.vm
@pytest.mark.parametrize("size", [60_000, 66_000, 5_000_000])
def test_a_job_of_any_size_starts_warm(run, tmp_path, size):
    """A message that is larger than a socket takes comes as a file, of which the script finds nothing."""
    (tmp_path / "data.bin").write_bytes(bytes(range(256)) * (size // 256))
    code = f"""
        import hashlib, os
        text = '{"ä" * min(size // 2, 50_000)}'
        print(len(text), hashlib.sha256(open("data.bin", "rb").read()).hexdigest())
        print([line for line in open("/proc/self/maps") if "memfd:job" in line], sorted(os.listdir("/proc/self/fd"))[-1])
        """
    cold, warm = (run("--start", start, "--files", tmp_path / "data.bin", code=code, json=True).verdict
                  for start in ("cold", "warm"))
    assert (warm["verdict"], warm["enforcement"]["start"]) == ("ok", "warm"), warm
    assert warm["stdout"] == cold["stdout"]
    assert warm["stdout"].endswith("\n[] 4\n")  # 0 to 3, and that of listdir

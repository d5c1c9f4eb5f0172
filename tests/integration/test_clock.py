"""Load on the host decides no verdict: the clock of wall_time_ms stops while a job wants the CPU and does not get it,
and only then."""

import contextlib
import os
import signal
import subprocess
import sys
import time

import pytest

from waiting import until

pytestmark = [pytest.mark.vm("delegated"), pytest.mark.alone, pytest.mark.cold]

BURN = "import time\nwhile time.process_time() < {}: pass\nprint('done')"
AT_ONCE = 4 * os.cpu_count()
SLOW = int(os.environ.get("SANDBOX_TEST_SLOW") or 1)  # so many times slower an emulated machine starts python
SECOND = f"{SLOW}s"


@contextlib.contextmanager
def load(processes, prefix=()):
    """Processes outside of any sandbox that want a CPU all the time, as long as this one is there."""
    code = f"import os\nprint('burning', flush=True)\nwhile os.getppid() == {os.getpid()}: pass"
    burners = [subprocess.Popen([*prefix, sys.executable, "-c", code], stdout=subprocess.PIPE)
               for _ in range(processes)]
    try:
        for burner in burners:
            assert burner.stdout.readline() == b"burning\n"
        yield
    finally:
        for burner in burners:
            burner.kill()
            burner.communicate()


@pytest.fixture(params=["beside others of their kind", "beside other load"])
def crowd(request, run):
    """crowd(options, code) starts a crowd of jobs at once; their verdicts."""
    def start(*options, code, count=AT_ONCE):
        started = [run.start(*options, json=True, code=code) for _ in range(count)]
        return [each.finish().verdict for each in started]

    if "other load" not in request.param:
        yield start
        return
    with load(AT_ONCE):
        yield lambda *options, code: start(*options, code=code, count=2)


def words(verdicts):
    """Their words; of an internal one, why."""
    return {verdict["error"] if verdict["verdict"] == "internal" else verdict["verdict"] for verdict in verdicts}


# ── With load ────────────────────────────────────────────────────────────────────────────────────


def test_a_program_that_passes_alone_passes_in_a_crowd(crowd):
    assert words(crowd("--timeout", SECOND, code=BURN.format(0.3))) == {"ok"}


def test_a_program_that_starts_others_passes_in_a_crowd(crowd):
    """Processes come and go faster than anybody looks at them."""
    assert words(crowd("--timeout", SECOND, code="""
        import os, time
        def burn():
            while time.process_time() < 0.01: pass
            os._exit(0)
        for _ in range(20):
            os.fork() or burn()
            os.wait()
        """)) == {"ok"}


def test_a_program_whose_threads_take_turns_passes_in_a_crowd(crowd):
    assert words(crowd("--timeout", SECOND, code="""
        import threading, time
        def burn():
            while time.process_time() < 0.3: pass
        threads = [threading.Thread(target=burn) for _ in range(4)]
        for each in threads: each.start()
        for each in threads: each.join()
        """)) == {"ok"}


def test_a_program_that_times_out_alone_times_out_in_a_crowd(crowd):
    assert words(crowd("--timeout", "500ms", code=BURN.format(3 * SLOW))) == {"timeout"}


def test_a_program_that_is_held_back_by_its_own_quota_times_out_in_a_crowd(crowd):
    assert words(crowd("--timeout", SECOND, "--cpus", "0.2", code=BURN.format(0.6 * SLOW))) == {"timeout"}


@pytest.mark.skipif(SLOW > 1, reason="there the job's cgroup has so much of the CPUs that the two end nearly together")
def test_one_that_sleeps_is_ended_before_one_that_computes_and_began_earlier(run):
    """It waits for no CPU."""
    with load(AT_ONCE):
        busy = run.start("--timeout", "1", json=True, code="print(1, flush=True)\nwhile True: pass")
        asleep = run.start("--timeout", "1", json=True, code="import time; time.sleep(1000)")
        wall_time = {name: each.finish().verdict["usage"]["wall_time_ms"] for name, each in
                     {"asleep": asleep, "busy": busy}.items()}
    assert wall_time["asleep"] < wall_time["busy"], wall_time


# ── Bounds ───────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("cpus", [1, 0.3])
@pytest.mark.parametrize("processes", [1, 4, 60])
def test_a_job_has_no_more_cpu_time_than_its_limits_allow_however_it_is_spread(run, processes, cpus):
    """Its own processes, and its own quota, keep each other from the CPU: that stops no clock."""
    code = f"""
        import os
        for _ in range({processes - 1}):
            if os.fork() == 0:
                break
        while True:
            pass
        """
    verdict = run("--timeout", "1", "--cpus", str(cpus), json=True, code=code).verdict
    assert verdict["verdict"] == "timeout"
    assert verdict["usage"]["cpu_time_ms"] < 1000 * cpus * 1.25 + 100, verdict["usage"]


def test_a_program_that_ended_in_time_has_however_late_its_supervisor_looks(run):
    started = run.start("--timeout", "1", meta=True, code="print('here', flush=True); import time; time.sleep(0.1)")
    started.expect("here")
    began = time.monotonic()
    started.signal(signal.SIGSTOP)
    until(lambda: time.monotonic() - began > 1.5)
    started.signal(signal.SIGCONT)
    assert started.finish().verdict["verdict"] == "ok"


@pytest.mark.skipif(SLOW > 1, reason="python alone takes longer to start there")
def test_a_job_that_the_host_has_no_cpu_for_is_not_said_to_have_timed_out(run, host):
    """On a CPU that a real-time process takes all of it gets next to nothing, for which others wait as well."""
    host.skip_unless_root("to start a real-time process")
    cpu = max(os.sched_getaffinity(0))
    one_cpu = ["taskset", "-c", str(cpu)]
    with load(16, [*one_cpu, "setsid"]), load(1, [*one_cpu, "chrt", "-f", "1"]):
        ran = run("--timeout", "50ms", json=True, code=f"""
            import os
            os.sched_setaffinity(0, [{cpu}])
            while True:
                pass
            """)
    assert (ran.status, ran.verdict["verdict"]) == (125, "internal"), ran
    assert ran.verdict["error"].startswith("the host was too busy: it did not give this job its 0.05 seconds (wall_time_ms)")
    assert ran.verdict["usage"]["wall_time_ms"] >= 5000

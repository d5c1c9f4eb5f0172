"""The exit status of sandbox-run is the script's own, or says why it was ended; a signal ends the job."""

import os
import signal

import pytest

from processes import descendants


# ── Exit statuses ────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("code,status", [
    ("pass", 0),
    ("import sys; sys.exit()", 0),
    ("import sys; sys.exit(0)", 0),
    ("import sys; sys.exit(None)", 0),
    ("import sys; sys.exit(1)", 1),
    ("import sys; sys.exit(77)", 77),
    ("import sys; sys.exit(256 + 44)", 44),
    ("import sys; sys.exit(-1)", 255),
    ("raise SystemExit(9)", 9),
    ("import os; os._exit(8)", 8),
    ("1/0", 1),
    ("raise KeyboardInterrupt", 130),
    ("import os, signal; os.kill(os.getpid(), signal.SIGTERM)", 143),
    ("import os, signal; os.kill(os.getpid(), signal.SIGKILL)", 137),
    ("import os; os.abort()", 134),
])
def test_the_exit_status_is_the_scripts_own(run, code, status):
    assert run(code=code).status == status


def test_an_exit_with_a_message_prints_it_and_is_1(run):
    ran = run(code="import sys; sys.exit('the message')")
    assert (ran.status, ran.stderr) == (1, "the message\n")


@pytest.mark.cold
@pytest.mark.parametrize("options,code,status,words", [
    (["--timeout", "1"], "import time; time.sleep(1000)", 124, "timed out"),
    (["--cpu-time", "1", "--timeout", "600"], "while True: pass", 124, "CPU time"),
    (["--memory", "64M"], "x = bytearray(1 << 30)", 137, "memory limit"),
    ([], "import os; os.abort()", 134, "SIGABRT"),
])
def test_one_sentence_says_why_a_job_was_ended(run, options, code, status, words):
    ran = run(*options, code=code)
    assert ran.status == status
    assert len(ran.sentences) == 1 and words in ran.sentences[0], ran.stderr


def test_an_exit_status_of_the_script_gets_no_sentence(run):
    for code in ("import sys; sys.exit(124)", "import sys; sys.exit(137)", "1/0"):
        assert not run(code=code).sentences


# ── Signals ──────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT"])
def test_a_signal_ends_the_job_and_is_reported(run, name):
    number = getattr(signal, name)
    started = run.start(meta=True, code="""
        import signal, time
        for number in range(1, 32):  # nothing that the script does keeps it alive
            try:
                signal.signal(number, signal.SIG_IGN)
            except OSError:
                pass
        print("ready", flush=True)
        time.sleep(1000)
        """)
    started.expect("ready")
    job = descendants(started.pid)
    assert job
    started.signal(number)
    ran = started.finish()
    assert ran.status == 128 + number
    assert (ran.meta["verdict"], ran.meta["signal"]) == ("signal", name)
    assert len(ran.sentences) == 1 and name in ran.sentences[0]
    assert not [pid for pid in job if os.path.exists(f"/proc/{pid}")]


def test_a_signal_before_the_script_begins_ends_the_job_too(run):
    for _ in range(20):
        started = run.start(code="import time; time.sleep(1000)")
        started.signal(signal.SIGTERM)
        # Before its main has begun, a signal ends sandbox-run itself: that is 143 to a shell.
        assert started.finish().status in (143, -signal.SIGTERM)


def test_a_second_signal_changes_nothing(run):
    started = run.start(code="print('ready', flush=True); import time; time.sleep(1000)")
    started.expect("ready")
    for _ in range(3):
        started.signal(signal.SIGINT)
    assert started.finish().status == 130


def test_signals_that_the_caller_ignores_stay_ignored(run):
    # nohup(1) ignores SIGHUP, a shell's background job without job control SIGINT.
    def ignore():
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
        signal.signal(signal.SIGINT, signal.SIG_IGN)

    started = run.start(preexec_fn=ignore, code="""
        import sys
        print("ready", flush=True)
        sys.stdin.read()
        print("end")
        """)
    started.expect("ready")
    started.signal(signal.SIGHUP)
    started.signal(signal.SIGINT)
    ran = started.finish()
    assert (ran.status, ran.stdout) == (0, "end\n")

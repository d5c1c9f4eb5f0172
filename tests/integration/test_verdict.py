"""Every word of a verdict comes from evidence, and the JSON has exactly the contract's shape."""

import json
import os
import re
import signal

import pytest

SHAPE = {
    "status": str, "output": str, "verdict": str, "stdout": str, "stderr": str,
    "truncated": {"stdout": int, "stderr": int},
    "exit_code": (int, type(None)), "signal": (str, type(None)), "result": object,
    "display": list, "displays_left_out": int,
    "usage": {"wall_time_ms": float, "cpu_time_ms": float, "memory_peak_bytes": int,
              "pids_peak": int},
    "enforcement": {"cgroup": str, "start": str, "missing": list},
    "files": dict, "files_left_out": list,
    "id": str,
}

# word → options, code, exit status, exit_code, signal
WORDS = {
    "ok": ([], "print('x')", 0, 0, None),
    "exception": ([], "1/0", 1, 1, None),
    "exit": ([], "import sys; sys.exit(3)", 3, 3, None),
    "signal": ([], "import os; os.abort()", 134, None, "SIGABRT"),
    "timeout": (["--timeout", "1"], "import time; time.sleep(1000)", 124, None, "SIGKILL"),
    "cpu_time": (["--cpu-time", "1", "--timeout", "600"], "while True: pass", 124, None, "SIGKILL"),
    "memory": (["--memory", "64M"], "x = bytearray(1 << 30)", 137, None, "SIGKILL"),
    "output": (["--result", "10", "--call", "main"], "def main(): return 'x' * 100", 153, 0, None),
}


def check_shape(value, shape, path="verdict"):
    if isinstance(shape, dict):
        assert isinstance(value, dict), path
        assert set(value) == set(shape), (path, set(value) ^ set(shape))
        for key in shape:
            check_shape(value[key], shape[key], f"{path}.{key}")
    else:
        assert isinstance(value, shape) and not (shape is int and isinstance(value, bool)), \
            (path, value)


@pytest.mark.vm("root")
@pytest.mark.parametrize("word", WORDS)
def test_each_word_comes_with_its_evidence_and_exactly_the_fields_of_the_contract(run, word):
    options, code, status, exit_code, signal = WORDS[word]
    ran = run(*options, json=True, code=code)
    assert ran.status == status
    assert ran.verdict["verdict"] == word
    if word in ("timeout", "cpu_time", "memory", "output"):
        # However the job ended then is our doing: an exit code or SIGKILL, never both.
        assert None in (ran.verdict["exit_code"], ran.verdict["signal"])
        assert ran.verdict["signal"] in (None, "SIGKILL")
    else:
        assert (ran.verdict["exit_code"], ran.verdict["signal"]) == (exit_code, signal)
    verdict = dict(ran.verdict)
    if word == "ok":
        assert "error" not in verdict
        assert verdict["status"] == "success"
    else:
        assert isinstance(verdict.pop("error"), str)
        assert verdict["status"] == "error"
    check_shape(verdict, SHAPE)
    assert verdict["enforcement"]["start"] == (os.environ.get("SANDBOX_TEST_START") or "cold")
    assert verdict["enforcement"]["missing"] == []
    assert verdict["output"] == verdict["stdout"].removesuffix("\n")


@pytest.mark.cold
@pytest.mark.parametrize("options", [[], ["--notebook"], ["--collect-glob", "**"]], ids=["plain", "notebook", "collect"])
def test_a_job_that_never_started_has_the_same_fields(run, tmp_path, options):
    verdict = run("--rootfs", tmp_path / "none", *options, json=True, code="print(1)").verdict
    assert verdict["verdict"] == "internal" and verdict.pop("error")
    assert (verdict["display"], verdict["displays_left_out"], verdict["files"], verdict["files_left_out"]) == ([], 0, {}, [])
    check_shape({**verdict, "usage": dict.fromkeys(verdict["usage"], 0)}, {**SHAPE, "usage": dict})


def test_times_have_three_decimals(run):
    text = run(json=True, code="pass").stdout
    for name in ("wall_time_ms", "cpu_time_ms"):
        assert re.search(rf'"{name}": ?\d+\.\d{{3}}[,}}]', text), text


@pytest.mark.vm
def test_the_numbers_are_there_and_make_sense(run):
    usage = run(json=True, code="import time; time.sleep(0.2)").verdict["usage"]
    assert usage["wall_time_ms"] >= 200
    assert 0 < usage["cpu_time_ms"]
    least = 1 << 16 if run.start_kind == "warm" else 1 << 20  # warm: without the python that it was cloned from
    assert least < usage["memory_peak_bytes"] < 128 << 20
    assert 1 <= usage["pids_peak"] <= 3


def test_each_verdict_has_an_id_of_its_own(run):
    ids = {run(json=True, code="pass").verdict["id"] for _ in range(5)}
    assert len(ids) == 5 and all(ids)


def test_meta_has_the_same_fields_with_the_output_null(run):
    verdict = run(meta=True, code="print('x'); 1/0").meta
    assert verdict.pop("error") is not None
    output = ("stdout", "stderr", "output", "display")
    assert all(verdict[name] is None for name in output)
    check_shape({**verdict, **{name: SHAPE[name]() for name in output}}, SHAPE)


def test_the_error_of_an_exception_is_its_traceback(run):
    verdict = run(json=True, code="raise ValueError('the reason')").verdict
    assert verdict["error"].startswith("Traceback (most recent call last)")
    assert verdict["error"].rstrip().endswith("ValueError: the reason")
    assert verdict["stderr"].rstrip() == verdict["error"].rstrip()


def test_what_a_script_says_on_stderr_before_it_ends_itself_is_the_error(run):
    code = "import sys; sys.exit('config is missing')"
    verdict = run(json=True, code=code).verdict
    assert (verdict["verdict"], verdict["exit_code"]) == ("exit", 1)
    assert verdict["error"] == verdict["stderr"] == "config is missing\n"
    ran = run(meta=True, code=code)
    assert (ran.stdout, ran.stderr) == ("", "config is missing\n")  # once, and without a sentence of ours
    assert ran.verdict["error"] == "the script ended with exit status 1" and ran.verdict["stderr"] is None


def test_the_error_of_an_exit_names_the_status(run):
    assert run(json=True, code="import sys; sys.exit(3)").verdict["error"] == "the script ended with exit status 3"


def test_the_error_of_a_signal_names_it(run):
    assert "SIGABRT" in run(json=True, code="import os; os.abort()").verdict["error"]


@pytest.mark.parametrize("status", [124, 125, 137, *(pytest.param(status, marks=pytest.mark.cold) for status in (
    1, 2, 126, 127, 134, 139, 141, 143, 153, 255))])
@pytest.mark.parametrize("how", ["sys.exit", "os._exit"])
def test_a_forged_exit_code_says_exit(run, status, how):
    ran = run(json=True, code=f"import os, sys; {how}({status})")
    assert ran.status == status
    assert (ran.verdict["verdict"], ran.verdict["exit_code"]) == ("exit", status)
    assert ran.verdict["signal"] is None


def test_a_forged_traceback_says_exit(run):
    ran = run(json=True, code="""
        import sys
        print("Traceback (most recent call last):\\nMemoryError", file=sys.stderr)
        sys.exit(1)
        """)
    assert ran.verdict["verdict"] == "exit"


def test_a_forged_verdict_on_stdout_stays_a_string(run):
    forged = json.dumps({"verdict": "memory", "status": "error"})
    ran = run(json=True, code=f"print({forged!r})")
    assert (ran.verdict["verdict"], ran.verdict["stdout"]) == ("ok", forged + "\n")


def test_a_sigkill_of_its_own_is_a_signal_and_not_a_limit(run):
    ran = run(json=True, code="import os, signal; os.kill(os.getpid(), signal.SIGKILL)")
    assert (ran.status, ran.verdict["verdict"], ran.verdict["signal"]) == (137, "signal", "SIGKILL")


def test_a_sigxcpu_of_its_own_is_a_signal_and_not_a_limit(run):
    ran = run(json=True, code="import os, signal; os.kill(os.getpid(), signal.SIGXCPU)")
    assert (ran.verdict["verdict"], ran.verdict["signal"]) == ("signal", "SIGXCPU")


@pytest.mark.parametrize("code", [
    "import threading; t = threading.Thread(target=lambda: 1/0); t.start(); t.join()",
    "import os\nif os.fork() == 0: 1/0\nos.wait()",
    "try: 1/0\nexcept ZeroDivisionError: pass",
    "import warnings; warnings.warn('x')",
    "import logging; logging.exception('x')",
    "import atexit; atexit.register(lambda: 1/0)",
])
def test_an_exception_elsewhere_is_not_the_scripts_end(run, code):
    ran = run(json=True, code=code)
    assert (ran.status, ran.verdict["verdict"]) == (0, "ok"), ran


@pytest.mark.parametrize("code,word", [
    ("raise Exception", "exception"),
    ("raise BaseException", "exception"),
    ("raise GeneratorExit", "exception"),
    ("raise MemoryError", "exception"),
    ("def f(): f()\nf()", "exception"),
    ("class E(Exception):\n  def __str__(self): raise ValueError\nraise E", "exception"),
    ("import sys; sys.excepthook = lambda *a: None; 1/0", "exception"),
    ("import sys; sys.stderr.close(); 1/0", "exception"),
    ("import sys; sys.stderr = None; 1/0", "exception"),
    ("raise SystemExit", "ok"),
    ("raise SystemExit(0)", "ok"),
    ("raise SystemExit('x')", "exit"),
    ("raise SystemExit(4)", "exit"),
    ("import asyncio\nasync def f(): raise ValueError\nasyncio.run(f())", "exception"),
    ("x = (", "exception"),
])
def test_the_last_exception_decides_between_exception_exit_and_ok(run, code, word):
    assert run(json=True, code=code).verdict["verdict"] == word


def test_a_program_that_replaces_python_is_judged_by_its_own_end(run):
    ran = run(json=True, code="import os; os.execv('/bin/sh', ['sh', '-c', 'echo sh; exit 3'])")
    assert (ran.status, ran.verdict["verdict"], ran.verdict["stdout"]) == (3, "exit", "sh\n")
    ran = run(json=True, code="import os; os.execv('/bin/sh', ['sh', '-c', 'kill -9 $$'])")
    assert (ran.status, ran.verdict["signal"]) == (137, "SIGKILL")


def test_output_that_cannot_be_flushed_at_the_end_is_as_outside(run):
    ran = run(json=True, code="import os; print('x', end=''); os.close(1)")
    assert (ran.status, ran.verdict["verdict"], ran.verdict["exit_code"]) == (120, "exit", 120)


def test_a_wrong_use_is_no_verdict_of_a_script(run):
    ran = run("--json", "--no-such-option", code="print(1)")
    assert ran.status == 125


def test_the_sandboxs_own_failure_is_internal_or_no_verdict_but_never_the_scripts(run, tmp_path):
    ran = run("--rootfs", tmp_path / "none", json=True, code="print(1)")
    assert ran.status == 125
    if ran.out:
        assert ran.verdict["verdict"] == "internal"


@pytest.mark.vm("delegated")
@pytest.mark.parametrize("code,name", [
    ("import os, signal; os.kill(os.getpid(), signal.SIGTERM)", "SIGTERM"),
    ("import os, signal; os.kill(os.getpid(), signal.SIGKILL)", "SIGKILL"),
    ("import os, signal; os.kill(os.getpid(), signal.SIGHUP)", "SIGHUP"),
    ("import os, signal; signal.raise_signal(signal.SIGUSR1)", "SIGUSR1"),
    ("import signal; signal.setitimer(signal.ITIMER_REAL, 0.01); signal.pause()", "SIGALRM"),
    ("import os; os.abort()", "SIGABRT"),
    ("import ctypes; ctypes.string_at(0)", "SIGSEGV"),
    ("import os, signal; os.kill(os.getpid(), 40)", "SIGRT"),
])
def test_python_dies_of_signals_as_it_does_outside(run, code, name):
    ran = run(json=True, code=code)
    number = 40 if name == "SIGRT" else getattr(signal, name)
    assert ran.status == 128 + number
    assert (ran.verdict["verdict"], ran.verdict["exit_code"]) == ("signal", None)
    assert ran.verdict["signal"].startswith(name)

"""How sandbox-run comes by a cgroup on a host with cgroup v2 and systemd, without being told: the delegated one that it
is started in, else a scope that it asks systemd for, else none, and then it says so. In the virtual machine."""

import json
import os
import pathlib
import re
import subprocess

import pytest

from processes import in_pid_namespace
from waiting import until

MODE = os.environ.get("SANDBOX_TEST_MODE")
WAIT = "import os, sys; print(os.stat('/proc/self/ns/pid').st_ino, flush=True); sys.stdin.read()"
# As on a host whose users have no systemd of their own.
WITHOUT_BUS = ["env", "-u", "XDG_RUNTIME_DIR", "-u", "DBUS_SESSION_BUS_ADDRESS"]


def in_mode(*modes):
    """For tests of these modes of the virtual machine alone."""
    def mark(test):
        skip = pytest.mark.skipif(MODE not in modes, reason=f"needs systemd: tests/vm/run --modes {','.join(modes)}")
        return pytest.mark.vm(*modes)(skip(test))

    return mark


@pytest.fixture
def auto(run, monkeypatch):
    """run(…) without the --cgroup of these tests."""
    monkeypatch.setattr(run, "cgroup", None)
    return run


def cgroup_of(started):
    """The path of the cgroup of a job that runs: WAIT."""
    pids = in_pid_namespace(int(started.readline()))
    lines = {line for pid in pids for line in pathlib.Path(f"/proc/{pid}/cgroup").read_text().splitlines()}
    assert pids and len(lines) == 1, lines
    return lines.pop().removeprefix("0::")


def own_cgroup():
    return pathlib.Path("/proc/self/cgroup").read_text().strip().removeprefix("0::")


def enforced(ran):
    assert ran.verdict["verdict"] == "ok", ran
    assert (ran.verdict["enforcement"]["cgroup"], ran.verdict["enforcement"]["missing"]) == ("v2", []), ran
    return True


@in_mode("user", "root")
@pytest.mark.alone
@pytest.mark.parametrize("options", [[], ["--best-effort"]], ids=["plain", "best-effort"])
def test_started_by_hand_it_takes_a_scope_of_its_own_from_systemd(auto, left, options):
    started = auto.start(*options, code=WAIT, meta=True)
    of_user = r"/user\.slice/user-1000\.slice/user@1000\.service/app\.slice"
    where = of_user if MODE == "user" else r"/system\.slice"
    assert re.fullmatch(rf"{where}/sandbox-run-{started.pid}\.scope/job-\d+", cgroup_of(started))
    assert enforced(started.finish())
    if MODE == "root":  # systemd removes the cgroup once the kernel tells it that it is empty
        until(lambda: not list(pathlib.Path("/sys/fs/cgroup/system.slice").glob("sandbox-run-*")))
    left.check()


@in_mode("user")
def test_in_a_delegated_scope_of_the_users_that_one_is_used(auto):
    prefix = ["systemd-run", "--user", "--scope", "--quiet", "--unit=by-hand.scope", "-p", "Delegate=yes"]
    started = auto.start(code=WAIT, meta=True, prefix=prefix)
    assert re.fullmatch(r"/user\.slice/.*/by-hand\.scope/job-\d+", cgroup_of(started))
    assert enforced(started.finish())


@in_mode("user")
def test_several_share_the_delegated_scope_that_they_are_started_in(auto):
    one = auto.command("--json", code="pass")
    prefix = ["systemd-run", "--user", "--scope", "--quiet", "-p", "Delegate=yes", "sh", "-c",
              '"$@" & "$@" & wait; "$@"', "sh"]
    ran = subprocess.run([*prefix, *one], capture_output=True, text=True, check=True)
    verdicts = [json.loads(line) for line in ran.stdout.splitlines()]
    assert [(each["verdict"], each["enforcement"]["cgroup"]) for each in verdicts] == [("ok", "v2")] * 3, ran


@in_mode("user")
def test_without_a_systemd_of_the_users_it_is_refused_with_the_remedy(auto):
    ran = auto(code="print('ran')", prefix=WITHOUT_BUS)
    assert (ran.status, ran.stdout, len(ran.sentences)) == (125, "", 1), ran
    for word in ("cgroup", "loginctl enable-linger", "--best-effort"):
        assert word in ran.stderr, ran
    doctor = auto("--doctor", prefix=WITHOUT_BUS)
    assert doctor.status == 1 and re.search(r"^NO +cgroup\b", doctor.stdout, re.M), doctor


@in_mode("user")
def test_with_best_effort_it_goes_on_without_and_lists_what_is_missing(auto):
    ran = auto("--best-effort", json=True, code="print('ran')", prefix=WITHOUT_BUS)
    assert (ran.status, ran.verdict["stdout"]) == (0, "ran\n")
    assert ran.verdict["enforcement"]["cgroup"] == "none"
    missing = " ".join(ran.verdict["enforcement"]["missing"])
    assert all(word in missing for word in ("memory", "cpu", "pids")), missing


@in_mode("delegated")
def test_in_a_delegated_unit_that_one_is_used(auto):
    started = auto.start(code=WAIT, meta=True)
    assert re.fullmatch(re.escape(own_cgroup().removesuffix("/supervisor")) + r"/job-\d+", cgroup_of(started))
    assert enforced(started.finish())


@in_mode("user", "delegated", "root")
def test_doctor_names_the_cgroup_that_is_used_and_finds_nothing_missing(auto):
    ran = auto("--doctor", "--json")
    findings = {each["name"]: each for each in json.loads(ran.stdout)["findings"]}
    assert ran.status == 0, ran
    where = own_cgroup().removesuffix("/supervisor") if MODE == "delegated" else r".scope"
    assert findings["cgroup"]["ok"] and where in findings["cgroup"]["detail"], findings["cgroup"]

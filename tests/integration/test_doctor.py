"""--doctor: one line a capability of the host, what it means, the remedy; 1 when the default policy
can't be enforced. What it says is held against what a job then finds."""

import errno
import json
import os
import re

import pytest

from kernel import without

pytestmark = pytest.mark.cold

SUBJECTS = [  # what a line must tell of, as words that are found in its name
    "user namespace", "pid namespace", "net(work)? namespace", "mount namespace", "ipc namespace",
    "uts namespace", "cgroup namespace", "cgroup", "memory", "cpu", "pids", "cgroup.kill",
    "seccomp", "mount_setattr", "clone3", "apparmor", "max_user_namespaces", "/proc",
    "root file system"]


@pytest.fixture
def findings(run, known=[]):
    if not known:
        ran = run("--doctor", "--json")
        assert ran.stdout.count("\n") == 1 and not ran.err
        known.extend(json.loads(ran.stdout)["findings"])
    return known


@pytest.mark.parametrize("subject", SUBJECTS)
def test_there_is_a_line_for_each_capability(findings, subject):
    assert any(re.search(subject, f"{each['name']} {each['detail']}", re.I) for each in findings), \
        [each["name"] for each in findings]


@pytest.mark.vm
def test_every_finding_says_what_was_found_what_it_means_and_the_remedy(findings):
    assert len(findings) >= 10
    for each in findings:
        assert set(each) == {"name", "ok", "required", "detail", "meaning", "remedy"}
        assert each["name"] and each["detail"] and isinstance(each["ok"], bool)
        if not each["ok"]:
            assert each["meaning"], each
        if not each["ok"] and each["required"]:
            assert each["remedy"], each
    assert len({each["name"] for each in findings}) == len(findings)


@pytest.mark.vm
def test_on_this_host_the_default_policy_can_be_enforced_and_the_status_is_0(run, host):
    ran = run("--doctor")
    assert ran.status == 0, ran.stdout
    assert not [line for line in ran.stdout.splitlines()
                if line.startswith("NO") and "(not required)" not in ran.stdout]


def test_the_text_has_one_line_for_each_finding_of_the_json(run, findings):
    lines = [line for line in run("--doctor").stdout.splitlines() if re.match(r"(yes|NO) ", line)]
    assert len(lines) == len(findings)
    for line, each in zip(lines, findings):
        assert line.startswith("yes" if each["ok"] else "NO")
        assert each["name"] in line


def test_what_was_found_stands_in_one_column(run, findings):
    lines = [line for line in run("--doctor").stdout.splitlines() if re.match(r"(yes|NO) ", line)]
    details = [each["detail"][:8] for each in findings]
    assert len({line.index(detail, 5 + len(each["name"]))
                for line, detail, each in zip(lines, details, findings)}) == 1, lines


def test_the_actions_of_seccomp_are_shown(findings):
    detail, = [each["detail"] for each in findings if each["name"] == "seccomp"]
    assert {"kill_process", "errno", "allow"} <= set(detail.split())


@pytest.mark.parametrize("options", [["--cgroup", "none"], ["--rootfs", "/none"]])
def test_doctor_sends_nobody_to_doctor(run, options):
    assert "see sandbox-run --doctor" not in run("--doctor", *options).stdout


def test_the_remedy_of_a_missing_root_file_system_is_shown_and_the_status_is_1(run, tmp_path):
    ran = run("--doctor", "--rootfs", tmp_path / "none")
    assert ran.status == 1
    assert re.search(r"^NO .*root", ran.stdout, re.M), ran.stdout
    assert re.search(r"remedy: .*sandbox-rootfs build", ran.stdout), ran.stdout
    answer = json.loads(run("--doctor", "--json", "--rootfs", tmp_path / "none").stdout)
    assert answer["ok"] is False and answer["missing"] >= 1


def test_a_missing_default_policy_is_shown_and_the_status_is_1(run, tmp_path):
    ran = run("--doctor", env={"SANDBOX_POLICIES": str(tmp_path)})
    assert ran.status == 1, ran.stdout


def test_without_cgroups_the_status_is_1(run):
    ran = run("--doctor", "--cgroup", "none")
    assert ran.status == 1
    assert re.search(r"^NO .*(cgroup|memory)", ran.stdout, re.M), ran.stdout


@pytest.mark.vm
def test_what_doctor_says_of_cgroups_is_what_a_job_gets(run, host, findings):
    text = json.dumps([each for each in findings if "cgroup" in each["name"].lower()])
    assert host.cgroup in text, text


@pytest.mark.vm
def test_doctor_changes_nothing_and_leaves_nothing(run, tmp_path):
    before = os.listdir(tmp_path)
    # A scope is named after the process that asked for it.
    first, second = (re.sub(r"sandbox-run-\d+", "", run("--doctor", cwd=tmp_path).stdout) for _ in range(2))
    assert first == second
    assert os.listdir(tmp_path) == before


@pytest.mark.parametrize("call, number, name", [
    ("mount_setattr", errno.ENOSYS, "mount_setattr"), ("landlock_create_ruleset", errno.ENOSYS, "Landlock"),
    ("landlock_create_ruleset", errno.EOPNOTSUPP, "Landlock"), ("clone3", errno.ENOSYS, "clone3")])
def test_a_kernel_that_is_new_enough_is_not_told_to_be_newer(run, call, number, name):
    if tuple(map(int, os.uname().release.split(".")[:2])) < (5, 19):
        pytest.skip("this kernel is old")
    ran = run("--doctor", "--json", preexec_fn=without(**{call: number}))
    found = {each["name"]: each for each in json.loads(ran.stdout)["findings"]}[name]
    assert not found["ok"] and found["remedy"] and "or newer" not in found["remedy"], found

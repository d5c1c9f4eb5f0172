"""A limit or layer that the host cannot enforce is an error, which names it and the remedy. Only --best-effort goes on,
and then the verdict lists what is missing. The tests take something away from this host: a system call by a seccomp
filter, or rights by a user namespace, a mount namespace or an ordinary user."""

import errno
import json
import os
import re
import shutil
import subprocess

import pytest

from kernel import without
from sandbox_run import rootfs_path

pytestmark = pytest.mark.vm("delegated")


def refused(ran, *words):
    """Exit status 125, nothing run, and one sentence with all of these words."""
    assert (ran.status, ran.stdout) == (125, ""), ran
    assert len(ran.sentences) == 1, ran
    for word in words:
        assert re.search(word, ran.stderr, re.I), (word, ran.stderr)


# ── A kernel that lacks something ────────────────────────────────────────────────────────────────

def test_without_mount_setattr_every_mount_is_read_only_all_the_same(run):
    ran = run(preexec_fn=without(mount_setattr=errno.ENOSYS), code="""
        for line in open("/proc/self/mountinfo"):
            fields = line.split()
            print(fields[4], fields[5], line.split(" - ")[1].split()[0])
        """)
    assert ran.status == 0, ran
    for line in ran.stdout.splitlines():
        point, options, kind = line.split()
        assert "nosuid" in options and ("ro" in options.split(",") or kind == "tmpfs"
                                        or point.startswith("/dev/")), line


@pytest.mark.parametrize("name", ["mount_setattr", "close_range", "memfd_create", "open_tree",
                                  "fsopen", "move_mount"])
def test_an_older_kernel_either_enforces_everything_or_is_refused(run, name):
    ran = run(preexec_fn=without(**{name: errno.ENOSYS}), json=True, code="print('ran')")
    if ran.status == 0:
        assert ran.verdict["enforcement"]["missing"] == []
    else:
        assert (ran.status, ran.verdict["verdict"]) == (125, "internal")
        assert ran.verdict["stdout"] == "" and "Function not implemented" in ran.verdict["error"]


@pytest.mark.parametrize("best_effort", [False, True])
def test_without_seccomp_nothing_runs_in_silence(run, best_effort):
    options = ["--best-effort"] if best_effort else []
    ran = run(*options, preexec_fn=without(seccomp=errno.ENOSYS), json=True,
              code="print(open('/proc/self/status').read())")
    if ran.status == 125:
        assert "seccomp" in ran.verdict["error"], ran.verdict["error"]
    elif "seccomp" in " ".join(ran.verdict["enforcement"]["missing"]):
        assert best_effort
    else:  # set by prctl then: ours is the second filter, after the one that took seccomp away
        assert re.search(r"^Seccomp_filters:\t2$", ran.verdict["stdout"], re.M), ran


def test_without_clone3_the_error_says_so(run):
    ran = run(preexec_fn=without(clone3=errno.ENOSYS), code="print('ran')")
    assert ran.status == 125 or ran.stdout == "ran\n"
    if ran.status == 125:
        refused(ran, "clone3|kernel|doctor")


@pytest.mark.parametrize("name", ["pivot_root", "unshare"])
def test_a_step_of_isolation_that_fails_is_never_skipped(run, name):
    ran = run(preexec_fn=without(**{name: errno.EPERM}), code="print('ran')")
    if ran.status != 0:  # a program that does not need the call may go on
        refused(ran)
        assert "ran" not in ran.stdout


@pytest.mark.parametrize("name", ["pivot_root", "unshare", "clone3"])
def test_best_effort_does_not_skip_namespaces_and_the_root_either(run, name):
    ran = run("--best-effort", preexec_fn=without(**{name: errno.EPERM}),
              code="import os; print(os.getuid(), os.path.exists('/work'), os.getppid())")
    assert (ran.status, ran.stdout) in ((125, ""), (0, "1000 True 1\n")), ran


def test_errors_before_python_are_not_the_scripts(run):
    ran = run(preexec_fn=without(clone3=errno.EPERM), json=True, code="print('ran')")
    if ran.status:
        assert ran.status == 125
        assert ran.verdict["verdict"] == "internal"
        assert ran.verdict["exit_code"] is None


# ── A host without user namespaces ───────────────────────────────────────────────────────────────


def inside_user_namespace(command):
    """A prefix: a command in a user namespace of its own, then sandbox-run."""
    return ["unshare", "--user", "--map-root-user", "sh", "-c", f'{command} && exec "$@"', "sh"]


def may_make_user_namespaces():
    return subprocess.run(["unshare", "--user", "--map-root-user", "true"],
                          capture_output=True).returncode == 0


def test_without_user_namespaces_the_error_names_them_and_the_remedy(run):
    if not may_make_user_namespaces():
        pytest.skip("this host has no user namespaces to take away")
    prefix = inside_user_namespace("echo 0 > /proc/sys/user/max_user_namespaces")
    for options in ([], ["--best-effort"], ["--best-effort", "--cgroup", "none"]):
        refused(run(*options, prefix=prefix, code="print('ran')"),
                "user namespace|max_user_namespaces|cgroup", "doctor|sysctl|--best-effort")
    ran = run("--best-effort", "--cgroup", "none", prefix=prefix, code="print('ran')")
    refused(ran, "user namespaces")


def test_doctor_tells_that_there_are_no_user_namespaces(run):
    if not may_make_user_namespaces():
        pytest.skip("this host has no user namespaces to take away")
    prefix = inside_user_namespace("echo 0 > /proc/sys/user/max_user_namespaces")
    ran = run("--doctor", prefix=prefix)
    assert ran.status == 1
    assert re.search(r"^NO +user namespace\b", ran.stdout, re.M), ran.stdout
    assert "max_user_namespaces" in ran.stdout


def test_in_a_chroot_the_error_says_so(run, host):
    host.skip_unless_root("makes a chroot")
    # A chroot to a copy of the whole tree: everything is there but the right to user namespaces.
    prefix = ["unshare", "--mount", "sh", "-c",
              'mkdir "$1" && mount --rbind / "$1" && shift && cd / && exec chroot "$0" "$@"',
              str(run.new_path(".root")), str(run.new_path(".unused"))]
    directory = prefix[-2]
    prefix[-1] = directory
    ran = run(prefix=prefix, code="print('ran')")
    refused(ran, "doctor|chroot")
    os.rmdir(directory)


# ── An outer container ───────────────────────────────────────────────────────────────────────────


def masked_proc_prefix():
    # As container runtimes do: something is mounted over parts of /proc.
    return ["unshare", "--mount", "sh", "-c",
            "mount --make-rprivate / && mount -t tmpfs none /proc/sys/kernel && "
            "mount -t tmpfs none /proc/bus && exec \"$@\"", "sh"]


@pytest.mark.parametrize("proc", ["subset", "masked"])
def test_under_a_masked_proc_everything_is_enforced_or_the_error_says_so(run, host, policy, proc):
    host.skip_unless_root("mounts over /proc, in a mount namespace of its own")
    ran = run("--policy", policy(proc=proc), prefix=masked_proc_prefix(), json=True, code="""
        import os
        print(os.listdir("/proc/bus") if os.path.exists("/proc/bus") else [])
        """)
    if ran.status == 0:
        assert ran.verdict["enforcement"]["missing"] == [] and ran.verdict["output"] == "[]"
    else:
        assert (ran.status, ran.verdict["verdict"]) == (125, "internal")
        assert "/proc" in ran.verdict["error"] and "container" in ran.verdict["error"], ran.verdict


@pytest.mark.parametrize("start", ["cold", "warm"])
def test_where_no_proc_can_be_mounted_best_effort_leaves_an_empty_one(run, host, start):
    host.skip_unless_root("mounts over /proc, in a mount namespace of its own")
    ran = run("--best-effort", "--start", start, prefix=masked_proc_prefix(), json=True, code="""
        import os
        print(len(os.listdir("/proc")))
        """)
    there = "proc" not in ran.verdict["enforcement"]["missing"]
    assert ran.status == 0 and (ran.verdict["stdout"] != "0\n") == there, ran.verdict


def test_doctor_tells_of_a_masked_proc(run, host):
    host.skip_unless_root("mounts over /proc, in a mount namespace of its own")
    ran = run("--doctor", prefix=masked_proc_prefix())
    line = next(line for line in ran.stdout.splitlines() if "/proc" in line)
    assert line.startswith("NO"), ran.stdout


@pytest.mark.vm("root")
def test_with_read_only_cgroups_the_error_names_them(run, host):
    host.skip_unless_root("mounts, in a mount namespace of its own")
    prefix = ["unshare", "--mount", "sh", "-c",
              'mount --make-rprivate / && for m in $(grep " /sys/fs/cgroup" /proc/self/mountinfo | '
              'cut -d" " -f5 | sort -r); do mount -o remount,bind,ro "$m"; done && exec "$@"', "sh"]
    refused(run(prefix=prefix, code="print('ran')"), "cgroup", "--best-effort|doctor|mount")
    ran = run("--cgroup", "auto", "--best-effort", prefix=prefix, json=True, code="print('ran')")
    if ran.status == 0:
        assert ran.verdict["enforcement"]["cgroup"] == "none"
        assert ran.verdict["enforcement"]["missing"]
    else:
        assert ran.status == 125, ran


# ── An ordinary user without cgroups ─────────────────────────────────────────────────────────────


@pytest.mark.vm("root")
def test_a_user_without_cgroups_is_told_so_and_what_to_do(as_nobody):
    refused(as_nobody(code="print('ran')"), "cgroup", "--best-effort", "doctor|systemd|loginctl")


@pytest.mark.vm("root")
def test_with_best_effort_a_user_without_cgroups_runs_and_sees_what_is_missing(as_nobody):
    ran = as_nobody("--best-effort", json=True, code="""
        import os
        status = dict(line.split(":\\t", 1) for line in open("/proc/self/status"))
        capabilities = int(status["CapBnd"], 16)
        print(os.getuid(), status["Seccomp"].strip(), capabilities, os.uname().nodename)
        """)
    assert ran.status == 0, ran
    assert ran.verdict["output"] == "1000 2 0 sandbox"  # all but the cgroup is in force
    enforcement = ran.verdict["enforcement"]
    assert enforcement["cgroup"] == "none"
    for word in ("memory", "cpu", "pids"):
        assert word in " ".join(enforcement["missing"]), enforcement


def test_best_effort_says_what_is_missing_on_stderr_too(as_nobody):
    ran = as_nobody("--best-effort", code="print('ran')")
    assert (ran.status, ran.stdout) == (0, "ran\n")
    assert len(ran.sentences) == 1 and "memory" in ran.sentences[0]
    assert as_nobody("--best-effort", "--quiet", code="print('ran')").err == b""


@pytest.mark.vm("root")
def test_without_cgroups_wall_time_and_death_of_all_still_hold(as_nobody):
    ran = as_nobody("--best-effort", "--timeout", "1", json=True, code="""
        import os, time
        for _ in range(5):
            if os.fork() == 0:
                os.setsid()
        time.sleep(1000)
        """)
    assert (ran.status, ran.verdict["verdict"]) == (124, "timeout")


@pytest.mark.vm
def test_a_policy_may_say_best_effort_itself(run, policy, host):
    path = policy(enforcement="best-effort")
    ran = run("--cgroup", "none", "--policy", path, json=True, code="print('ran')")
    assert ran.status == 0, ran
    assert ran.verdict["enforcement"]["missing"]


@pytest.mark.vm
def test_a_kind_of_cgroup_that_is_not_there_is_never_replaced_by_another(run, host):
    wrong = "v1" if host.cgroup == "v2" else "v2-root"
    refused(run("--cgroup", wrong, code="print('ran')"), "cgroup")


# ── A root file system that is not whole ─────────────────────────────────────────────────────────


def test_a_missing_root_file_system_is_named_with_how_to_make_one(run, tmp_path):
    for options, env in ((["--rootfs", tmp_path / "none"], None),
                         ([], {"SANDBOX_ROOTFS": str(tmp_path / "none")})):
        refused(run(*options, code="print('ran')", env=env), re.escape(str(tmp_path / "none")),
                "sandbox-rootfs")


def test_an_empty_directory_is_no_root_file_system(run, tmp_path):
    (tmp_path / "empty").mkdir()
    refused(run("--rootfs", tmp_path / "empty", code="print('ran')"), "empty", "sandbox-rootfs")


def test_a_file_is_no_root_file_system(run, tmp_path):
    (tmp_path / "file").write_text("x")
    refused(run("--rootfs", tmp_path / "file", code="print('ran')"), "file")


@pytest.fixture
def broken_rootfs(tmp_path):
    """A root file system of links into the real one, that a test may break. Only what is read
    before python starts is there."""
    directory = tmp_path / "rootfs"
    real = rootfs_path()
    (directory / "usr/lib/sandbox-run").mkdir(parents=True)
    for name in ("rootfs.json", "runner.py", "runner.pyc", "notebook.py", "notebook.pyc"):
        if (real / "usr/lib/sandbox-run" / name).exists():
            shutil.copy(real / "usr/lib/sandbox-run" / name, directory / "usr/lib/sandbox-run")
    for name in ("proc", "tmp", "work", "usr/bin"):
        (directory / name).mkdir()
    # Empty files and directories to mount on.
    shutil.copytree(real / "dev", directory / "dev", symlinks=True)
    for path in (tmp_path, directory, *directory.rglob("*")):
        if not path.is_symlink():
            path.chmod(path.stat().st_mode | 0o055)
    record = json.loads((real / "usr/lib/sandbox-run/rootfs.json").read_text())

    def change(remove=(), **keys):
        (directory / "usr/lib/sandbox-run/rootfs.json").write_text(json.dumps({**record, **keys}))
        for name in remove:
            path = directory / name
            shutil.rmtree(path) if path.is_dir() else path.unlink()
        return directory

    return change


def test_a_root_file_system_without_python_is_refused(run, broken_rootfs):
    ran = run("--rootfs", broken_rootfs(), code="print('ran')")
    refused(ran, "python", "sandbox-rootfs|--python")


@pytest.mark.parametrize("name", ["proc", "dev", "tmp", "work"])
def test_a_root_file_system_without_a_mount_point_is_refused(run, broken_rootfs, name):
    refused(run("--rootfs", broken_rootfs(remove=[name]), code="print('ran')"), name,
            "sandbox-rootfs")


def test_a_root_file_system_without_its_record_is_refused(run, broken_rootfs):
    directory = broken_rootfs(remove=["usr/lib/sandbox-run/rootfs.json"])
    refused(run("--rootfs", directory, code="print('ran')"), "rootfs.json", "sandbox-rootfs")


@pytest.mark.parametrize("change", [{"runner": 99}, {"format": 99}, {"python": 5}, {"python": "x"}])
def test_a_record_that_we_do_not_understand_is_refused(run, broken_rootfs, change):
    ran = run("--rootfs", broken_rootfs(**change), code="print('ran')")
    refused(ran, "rootfs.json|another version", "sandbox-rootfs")


def test_a_root_file_system_without_the_runner_is_refused(run, broken_rootfs):
    directory = broken_rootfs(remove=[
        f"usr/lib/sandbox-run/{name}" for name in ("runner.py", "runner.pyc")
        if (rootfs_path() / "usr/lib/sandbox-run" / name).exists()])
    ran = run("--rootfs", directory, code="print('ran')")
    refused(ran, "runner|python", "sandbox-rootfs|--python")

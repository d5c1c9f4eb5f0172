"""CPython's own test suite inside the sandbox and outside: every test comes out the same, except for
those that differences.md lists with the reason why that is wanted. And outside every test passes or
is skipped, except for those that failures.md lists: a test that fails on both sides compares nothing.

Outside is the same root file system under chroot, as a user without privileges, with a full /proc,
the host's /dev, and no filter. modules.txt names the modules that run. What differs or fails once
but not again is chance, on a busy machine, and not the sandbox."""

import fcntl
import fnmatch
import json
import os
import pathlib
import re
import subprocess

import pytest

HERE = pathlib.Path(__file__).parent
CACHE = pathlib.Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser() / "sandbox-run"
MODULES = [line for line in (HERE / "modules.txt").read_text().splitlines()
           if line and not line.startswith("#")]
# Host name and limit on open files are those of inside: the sides differ by the sandbox alone.
OUTSIDE = r"""
set -e
mount --make-rprivate /
mount -t proc none "$1/proc"
mount --rbind /dev "$1/dev"
mount -t tmpfs -o mode=1777 none "$1/tmp"
mount -t tmpfs -o mode=1777 none "$1/work"
/usr/bin/python3 -c "$3"
cp "$2" "$1/work/suite.py"
rootfs=$1
shift 3
ulimit -n 1024
exec env -i PATH=/usr/local/bin:/usr/bin:/bin HOME=/work LANG=C.UTF-8 TMPDIR=/tmp \
    PYTHONDONTWRITEBYTECODE=1 /usr/sbin/chroot --userspec=1000:1000 --groups= "$rootfs" \
    /bin/sh -c 'cd /work && exec python3.11 -c "import suite; suite.tell()" "$@"' sh "$@"
"""
NETWORK = """
import fcntl, socket, struct
socket.sethostname("sandbox")
with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
    # SIOCSIFFLAGS: up, loopback, running
    fcntl.ioctl(s, 0x8914, struct.pack("16sh14x", b"lo", 0x49))
"""


@pytest.fixture(scope="session")
def rootfs():
    """The root file system with the test suite in it, made once for each root file system."""
    if os.geteuid() != 0:
        pytest.skip("needs root: the other side of the comparison is a chroot with mounts")
    source = os.environ.get("SANDBOX_ROOTFS") or "/var/lib/sandbox-run/rootfs"
    record = json.loads(pathlib.Path(source, "usr/lib/sandbox-run/rootfs.json").read_text())
    if not record["version"].startswith("3.11"):
        pytest.skip(f"the suite is of Python 3.11, the root file system has {record['version']}")
    CACHE.mkdir(parents=True, exist_ok=True)
    target = CACHE / f"testsuite-{record['digest'].rpartition(':')[2][:16]}"
    with open(CACHE / "testsuite.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not target.is_dir() or runner_of(target) != runner_of(source):
            subprocess.run(["rm", "-rf", str(target)], check=True)
            subprocess.run([HERE / "make-testsuite-rootfs", source, target], check=True)
    return target


def runner_of(rootfs):
    return pathlib.Path(rootfs, "usr/lib/sandbox-run/runner.py").read_bytes()


def outside(rootfs, module):
    done = subprocess.run(
        ["unshare", "--mount", "--pid", "--net", "--uts", "--ipc", "--fork", "--kill-child", "sh",
         "-c", OUTSIDE, "sh", rootfs, HERE / "suite.py", NETWORK, *module.split()],
        stdin=subprocess.DEVNULL, capture_output=True)
    last = done.stdout.decode("utf-8", "replace").rpartition("\n{")[2]
    try:
        return json.loads("{" + last)
    except ValueError:
        pytest.fail(f"{module} does not come to its end outside: {done.returncode} "
                    f"{done.stderr[-3000:]}")


def inside(run, policy, rootfs, module):
    path = policy(limits={"wall_time_ms": 600000, "memory_bytes": 2 << 30, "tmp_bytes": 16 << 30,
                          "tmp_files": 100000, "pids": 500, "open_files": 1024, "cpus": 2},
                  loopback=True)
    ran = run("--policy", path, "--rootfs", rootfs, "--call", "called", HERE / "suite.py",
              *module.split(), meta=True)
    if ran.meta is None or ran.meta["verdict"] != "ok":
        pytest.fail(f"{module} does not come to its end inside: {ran.meta} {ran.stderr[-3000:]}")
    return ran.meta["result"]


def compare(inside, outside):
    """test → (outcome inside, outcome outside, why), of those that came out differently."""
    found = {}
    for name in inside.keys() | outside.keys():
        here, there = (side.get(name, ["absent", ""]) for side in (inside, outside))
        if here[0] != there[0]:
            found[name] = (here[0], there[0], here[1] or there[1])
    return found


def wanted_differences():
    """The patterns of differences.md, in backquotes at the head of list items."""
    text = (HERE / "differences.md").read_text()
    return re.findall(r"^- `([^`]+)`", text, re.M)


def known_failures():
    """(module, test) → the reason: the list items of failures.md."""
    text = (HERE / "failures.md").read_text()
    return {(module, test): reason for module, test, reason in re.findall(r"^- `(.+)` `(.+)`: (.+)$", text, re.M)}


def matching(names, patterns):
    return {name for name in names if any(fnmatch.fnmatchcase(name, each) for each in patterns)}


def problems(module, inside, outside):
    """name → what is wrong with it, of all that is not as it should be."""
    found = {}
    differences, names = compare(inside, outside), inside.keys() | outside.keys()
    patterns = wanted_differences()
    for name in differences.keys() - matching(differences, patterns):
        here, there, why = differences[name]
        found[name] = f"inside {here}, outside {there}: {why}"
    for each in patterns:
        if matching(names, [each]) and not matching(differences, [each]):
            found[each] = "differences.md tells of differences that there are not"
    failed = {name for name, (outcome, _) in outside.items() if outcome == "failed"}
    known = {test for each, test in known_failures() if each == module}
    for name in failed - known:
        found[name] = f"fails outside: {outside[name][1]}; mend how it is run, or list it in failures.md with the reason"
    for name in known - failed:
        found[name] = "does not fail outside, as failures.md says that it does"
    if not any(outcome == "ok" for outcome, _ in outside.values()):
        found[module] = "nothing of it passes outside: there is nothing to compare"
    return found


@pytest.mark.parametrize("module", MODULES)
def test_a_module_of_cpythons_suite_passes_outside_and_comes_out_the_same(run, policy, rootfs, module):
    def once():
        return problems(module, inside(run, policy, rootfs, module), outside(rootfs, module))

    found = once()
    if found:
        again = once()
        found = {name: what for name, what in found.items() if name in again}
    assert not found, "\n".join(f"{name}: {what}" for name, what in sorted(found.items()))


def test_what_is_known_to_fail_is_of_modules_that_run_and_has_its_reason():
    known = known_failures()
    assert known and {module for module, _ in known} <= set(MODULES)
    assert len(known) == len(re.findall(r"^- ", (HERE / "failures.md").read_text(), re.M))
    assert all(len(reason) > 20 for reason in known.values())


def test_every_wanted_difference_has_its_reason():
    text = (HERE / "differences.md").read_text()
    sections = re.split(r"^## ", text, flags=re.M)[1:]
    assert sections
    for section in sections:
        reason = re.split(r"^- `", section, flags=re.M)[0].partition("\n")[2].strip()
        assert len(reason) > 40, section
        assert re.search(r"^- `", section, re.M), section

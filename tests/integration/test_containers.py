"""Inside a container without privilege: what its runtime keeps from a program is taken away here by seccomp filters,
namespaces, id maps and bounding sets. A job there has all that is promised, or the error says what to do; only what
--allow-missing names may be missing."""

import ctypes
import errno
import json
import os
import pathlib
import re
import socket
import sys

import pytest

from kernel import libc, without
from test_failclosed import masked_proc_prefix, refused

pytestmark = pytest.mark.vm("root")

ALL_OF_CGROUPS = ["memory", "cpu", "pids", "cpu_time"]
HOST_UTS = 0xEFFFFFFE
CLONE_NEWUTS = 0x04000000
NAMES = 'import os; name = os.uname(); print(name.nodename, open("/proc/sys/kernel/hostname").read().strip() '\
        'if os.path.exists("/proc/sys/kernel/hostname") else name.nodename)'


# ── The host name ────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def in_container(host):
    """A preexec_fn: a container named `pod-1`, whose filter refuses the calls that set names."""
    host.skip_unless_root("makes a uts namespace")
    take_away = without(sethostname=errno.EPERM, setdomainname=errno.EPERM)

    def enter():
        if libc.unshare(ctypes.c_int(CLONE_NEWUTS)):
            os._exit(99)
        socket.sethostname("pod-1")
        take_away()

    enter.keep = take_away
    return enter


CONTAINER = {"container": "oci"}


@pytest.mark.parametrize("start", ["cold", "warm"])
def test_where_no_name_can_be_set_a_job_sees_the_containers_and_nothing_is_missing(run, in_container, start):
    ran = run("--start", start, preexec_fn=in_container, env=CONTAINER, json=True, code=NAMES)
    assert ran.status == 0, ran
    assert ran.verdict["output"] == "pod-1 pod-1"
    assert ran.verdict["enforcement"]["missing"] == [] and ran.verdict["enforcement"]["start"] == start


def test_a_job_cannot_change_the_containers_name(run, in_container):
    ran = run(preexec_fn=in_container, env=CONTAINER, code="""
        import os, socket
        try:
            socket.sethostname("mine")
        except OSError as error:
            print(type(error).__name__, os.uname().nodename)
        """)
    assert (ran.status, ran.stdout) == (0, "PermissionError pod-1\n"), ran


def test_doctor_says_that_jobs_see_the_containers_name_and_the_policy_can_be_enforced(run, in_container):
    ran = run("--doctor", "--json", preexec_fn=in_container, env=CONTAINER)
    found = {each["name"]: each for each in json.loads(ran.stdout)["findings"]}
    assert not found["hostname"]["ok"] and not found["hostname"]["required"], found["hostname"]
    assert "container's name" in found["hostname"]["meaning"]
    assert found["default policy"]["ok"] and ran.status == 0, found


@pytest.fixture
def hosts_name():
    if os.stat("/proc/self/ns/uts").st_ino != HOST_UTS:
        pytest.skip("these tests have a uts namespace of their own: no name of a host can be seen")
    return os.uname().nodename


def test_the_hosts_own_name_is_never_shown_in_silence(run, hosts_name):
    take_away = without(sethostname=errno.EPERM)
    refused(run(preexec_fn=take_away, code=NAMES), "hostname", "--allow-missing hostname")
    ran = run("--doctor", "--json", preexec_fn=take_away)
    found = {each["name"]: each for each in json.loads(ran.stdout)["findings"]}
    assert found["hostname"]["required"] and "--allow-missing hostname" in found["hostname"]["meaning"]
    assert ran.status == 1


@pytest.mark.parametrize("start", ["cold", "warm"])
def test_where_the_caller_allows_it_the_hosts_name_is_shown_and_listed(run, hosts_name, start):
    ran = run("--allow-missing", "hostname", "--start", start, preexec_fn=without(sethostname=errno.EPERM), json=True,
              code=NAMES)
    assert ran.verdict["enforcement"]["missing"] == ["hostname"], ran
    assert ran.verdict["output"].split()[0] == hosts_name


# ── --allow-missing ──────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("name,limit", zip(ALL_OF_CGROUPS, ["memory_bytes", "cpus", "pids", "cpu_time_ms"]))
def test_only_what_is_named_may_be_missing(run, name, limit):
    others = ",".join(each for each in ALL_OF_CGROUPS if each != name)
    refused(run("--cgroup", "none", "--allow-missing", others, code="print('ran')"), limit, f"--allow-missing {name} ")


@pytest.mark.parametrize("start", ["cold", "warm"])
def test_what_is_named_and_missing_is_listed_by_these_names(run, start):
    ran = run("--cgroup", "none", "--start", start, "--allow-missing", "memory,cpu", "--allow-missing",
              "pids, cpu_time,proc", json=True, code="print('ran')")
    assert (ran.status, ran.verdict["output"]) == (0, "ran"), ran
    assert ran.verdict["enforcement"]["missing"] == ALL_OF_CGROUPS
    assert ran.verdict["enforcement"]["start"] == start


def test_what_is_allowed_but_not_missing_is_enforced(run):
    ran = run("--allow-missing", "memory,proc,hostname", json=True, code="import os; print(os.uname().nodename)")
    assert ran.verdict["enforcement"]["missing"] == [] and ran.verdict["output"] == "sandbox", ran


def test_a_policy_may_allow_it_too(run, policy):
    path = policy(allow_missing=ALL_OF_CGROUPS)
    ran = run("--cgroup", "none", "--policy", path, json=True, code="print('ran')")
    assert ran.verdict["enforcement"]["missing"] == ALL_OF_CGROUPS, ran
    path = policy(allow_missing=ALL_OF_CGROUPS[1:])
    refused(run("--cgroup", "none", "--policy", path, code="print('ran')"), "memory_bytes")
    ran = run("--cgroup", "none", "--policy", path, "--allow-missing", "memory", json=True, code="print('ran')")
    assert ran.verdict["enforcement"]["missing"] == ALL_OF_CGROUPS, ran


@pytest.mark.parametrize("names", ["", "memory,", "seccomp", "namespaces", "Memory", "all"])
def test_a_name_that_is_none_is_refused_with_those_that_are(run, names):
    refused(run("--allow-missing", names, code="print('ran')"), "--allow-missing",
            "memory, cpu, pids, cpu_time, rlimits, proc, hostname")


def test_a_masked_proc_is_missing_only_where_that_is_allowed(run, host):
    host.skip_unless_root("mounts over /proc, in a mount namespace of its own")
    prefix = masked_proc_prefix()
    ran = run("--start", "cold", prefix=prefix, json=True, code="print('ran')")
    assert "--allow-missing proc" in ran.verdict["error"], ran
    assert run("--allow-missing", "memory,cpu", "--start", "cold", prefix=prefix, code="print('ran')").status == 125
    ran = run("--allow-missing", "proc", "--start", "cold", prefix=prefix, json=True, code="print('ran')")
    assert ran.verdict["enforcement"]["missing"] == ["proc"] and ran.verdict["output"] == "ran", ran


def test_under_a_masked_proc_a_warm_job_of_roots_has_one_of_its_own(run, host):
    """Its zygote has mounted it outside of any user namespace, where the kernel asks for no uncovered one."""
    host.skip_unless_root("mounts over /proc, in a mount namespace of its own")
    ran = run("--start", "warm", prefix=masked_proc_prefix(), json=True, code="""
        import os
        print(sorted(name for name in os.listdir("/proc") if name.isdigit()), os.path.exists("/proc/sys/kernel/x"))""")
    assert ran.verdict["enforcement"]["start"] == "warm" and ran.verdict["enforcement"]["missing"] == [], ran
    assert ran.verdict["output"] in ("['2'] False", "['1', '2'] False"), ran  # pid 1 may be hidden


# ── Ids and capabilities ─────────────────────────────────────────────────────────────────────────


def mapped(*lines):
    """A prefix: a command in a user namespace with these lines in its maps."""
    return [sys.executable, "-c", """
import ctypes, os, sys
ready, go = os.pipe(), os.pipe()
child = os.fork()
if child == 0:
    assert ctypes.CDLL(None).unshare(0x10000000) == 0
    os.write(ready[1], b"r")
    os.read(go[0], 1)
    os.setresgid(0, 0, 0)
    os.setresuid(0, 0, 0)
    os.execvp(sys.argv[2], sys.argv[2:])
os.read(ready[0], 1)
for kind in ("uid", "gid"):
    with open(f"/proc/{child}/{kind}_map", "w") as file:
        file.write(sys.argv[1])
os.write(go[1], b"g")
sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
""", "\n".join(lines)]


HOST_ID = """
import pathlib
print(pathlib.Path("/proc/self/uid_map").read_text().split()[1], pathlib.Path("/proc/self/gid_map").read_text().split()[1])
"""


@pytest.mark.parametrize("start", ["cold", "warm"])
def test_without_the_usual_ids_jobs_get_those_that_the_namespace_has(run, host, start):
    host.skip_unless_root("writes id maps")
    ran = run("--start", start, prefix=mapped("0 0 60000"), json=True, code=HOST_ID)
    assert ran.status == 0, ran
    uid, gid = map(int, ran.verdict["output"].split())
    assert 30500 <= uid < 60000 and 30500 <= gid < 60000
    assert ran.verdict["enforcement"]["missing"] == [] and ran.verdict["enforcement"]["start"] == start


def test_a_range_of_ids_that_is_not_mapped_is_the_reason_that_is_given(run, host):
    host.skip_unless_root("writes id maps")
    prefix = mapped("0 0 60000")
    ran = run("--uid-range", "700000:10", prefix=prefix, code="print('ran')")
    refused(ran, "uid_map", "--uid-range")
    assert "CAP_" not in ran.stderr
    ran = run("--doctor", "--json", "--uid-range", "700000:10", prefix=prefix)
    found = {each["name"]: each for each in json.loads(ran.stdout)["findings"]}["host uids of jobs"]
    assert not found["ok"] and found["required"] and "--uid-range" in found["remedy"], found


@pytest.mark.parametrize("capability", ["setuid", "setgid"])
def test_a_missing_capability_is_the_reason_that_is_given(run, host, capability):
    host.skip_unless_root("has capabilities to lose")
    prefix = ["setpriv", "--bounding-set", f"-{capability}", "--inh-caps", f"-{capability}"]
    ran = run(prefix=prefix, code="print('ran')")
    refused(ran, f"CAP_{capability}", "--cap-add")
    assert "uid_map" not in ran.stderr
    ran = run("--doctor", "--json", prefix=prefix)
    found = {each["name"]: each for each in json.loads(ran.stdout)["findings"]}["host uids of jobs"]
    assert not found["ok"] and found["required"] and f"CAP_{capability.upper()}" in found["remedy"], found


def test_three_capabilities_are_enough_for_everything(run, host):
    host.skip_unless_root("has capabilities to lose")
    prefix = ["setpriv", "--bounding-set", "-all,+setuid,+setgid,+chown", "--inh-caps=-all", "--no-new-privs"]
    for start in ("cold", "warm"):
        ran = run("--start", start, prefix=prefix, json=True, code="print('ran')")
        assert ran.status == 0, ran
        assert ran.verdict["enforcement"]["missing"] == [] and ran.verdict["enforcement"]["start"] == start, ran


def test_doctor_names_the_capability_that_warm_starts_need(run, host):
    host.skip_unless_root("has capabilities to lose")
    prefix = ["setpriv", "--bounding-set", "-all,+setuid,+setgid", "--inh-caps=-all"]
    ran = run("--doctor", "--json", prefix=prefix)
    found = {each["name"]: each for each in json.loads(ran.stdout)["findings"]}["CAP_CHOWN"]
    assert not found["ok"] and not found["required"] and "cold" in found["meaning"]
    assert "CHOWN" in found["remedy"] or "CapabilityBoundingSet=" in found["remedy"], found
    ran = run("--start", "warm", prefix=prefix, json=True, code="print('ran')")
    assert ran.status == 0 and ran.verdict["enforcement"]["start"] == "cold", ran


# ── Security modules, and the kind of container ──────────────────────────────────────────────────


def test_mounts_that_a_security_module_forbids_are_not_blamed_on_masks(run):
    take_away = without(mount=errno.EACCES)
    ran = run(preexec_fn=take_away, code="print('ran')")
    refused(ran, "AppArmor or SELinux")
    ran = run("--doctor", "--json", preexec_fn=take_away)
    found = {each["name"]: each for each in json.loads(ran.stdout)["findings"]}["/proc"]
    assert not found["ok"] and "AppArmor" in found["remedy"] and "systempaths" not in found["remedy"], found


def test_in_a_pod_doctor_names_what_kubernetes_can_change(run, host):
    host.skip_unless_root("mounts over /proc, in a mount namespace of its own")
    ran = run("--doctor", "--json", "--cgroup", "none", prefix=masked_proc_prefix(),
              env={"KUBERNETES_SERVICE_HOST": "10.0.0.1"})
    found = {each["name"]: each for each in json.loads(ran.stdout)["findings"]}
    assert "cgroup_writable" in found["cgroup"]["remedy"], found["cgroup"]
    if not found["/proc"]["ok"]:
        assert "procMount: Unmasked" in found["/proc"]["remedy"], found["/proc"]
    assert not re.search("boot with systemd|mount -t cgroup2|docker run", ran.stdout)


def test_podman_is_known_by_its_variable_where_its_mark_is_covered(run):
    ran = run("--doctor", "--json", preexec_fn=without(sethostname=errno.EPERM), env={"container": "podman"})
    found = {each["name"]: each for each in json.loads(ran.stdout)["findings"]}["hostname"]
    assert "podman run --security-opt seccomp=FILE" in found["remedy"], found


# ── cgroups ──────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def own_cgroup(host):
    """A prefix: a command in a cgroup of its own, which is the root of its cgroup namespace, is mounted at
    /sys/fs/cgroup and belongs to nobody, as containers have it."""
    host.skip_unless_root("makes a cgroup and a cgroup namespace")
    tree = pathlib.Path("/sys/fs/cgroup/unified" if host.cgroup == "v1" else "/sys/fs/cgroup")
    directory = tree / f"sandbox-run-test-{os.getpid()}"
    directory.mkdir()
    yield ["sh", "-c", 'echo 0 >"$0/cgroup.procs" && exec unshare --cgroup --mount sh -c \'mount --make-rprivate / && '
           'umount -l /sys/fs/cgroup && mount -t cgroup2 none /sys/fs/cgroup && cd /sys/fs/cgroup && '
           'chown 65534 . cgroup.procs cgroup.subtree_control cgroup.threads && cd / && exec "$@"\' sh "$@"', str(directory)]
    for path in sorted([*directory.rglob("*"), directory], reverse=True):
        if path.is_dir():
            path.rmdir()


def test_an_ordinary_user_may_own_the_containers_cgroup(as_nobody, own_cgroup):
    # What the cgroup above has no controller for is missing, and each is listed.
    ran = as_nobody("--allow-missing", "memory,cpu,pids", before=own_cgroup, json=True, code="print('ran')")
    assert ran.status == 0, ran
    assert ran.verdict["enforcement"]["cgroup"] == "v2", ran
    assert "cpu_time" not in ran.verdict["enforcement"]["missing"]


def test_a_cgroup_outside_of_the_namespace_is_the_reason_that_is_given(run):
    # What clone3 answers where /sys/fs/cgroup is the host's and the cgroup namespace is not.
    ran = run(preexec_fn=without(clone3=errno.ENOENT), code="print('ran')")
    refused(ran, "cgroup namespace", "/sys/fs/cgroup", "do not belong together", "--cgroupns=host")

"""The privileges of each process of the service, as /proc/PID/status tells them: a table. And the reach of an attacker
who takes one of the processes over."""

import contextlib
import json
import os
import pathlib
import shutil
import signal
import subprocess

import pytest

from ordinary_user import FIRST, SUBUID, UID
from processes import status_of
from sandbox_run import BINARY, rootfs_path
from waiting import until

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="needs root: starts services as root and as ordinary users")

CAPABILITIES = {"CHOWN": 0, "DAC_READ_SEARCH": 2, "SETGID": 6, "SETUID": 7, "SYS_ADMIN": 21}
MAKING = "a zygote in the making"
ALL = "all"  # of a bounding set that may not be lowered
ROOTS = "CHOWN DAC_READ_SEARCH SETGID SETUID"
ZYGOTES = "SETGID SETUID SYS_ADMIN"  # in a user namespace of its own

# By how the service is started: its uid, the first uid of jobs (None: its own), what its processes have, and their
# bounding set.
STARTS = {
    "root": (0, FIRST, ROOTS, ROOTS),
    "capabilities": (UID, FIRST, "", ""),
    "helpers": (UID, SUBUID, "", ALL),
    "shared": (UID, None, "", ALL),
}
# By kind: uid ("service", "job", or "own" of the service's, as root one that is as a job's), permitted and effective,
# inheritable and ambient, bounding. All have no_new_privs.
KINDS = {
    "service": ("service", "service", "", "bounding"),
    "worker": ("service", "service", "", "bounding"),
    "zygote": ("own", ZYGOTES, ZYGOTES, ZYGOTES),
    "pid 1": ("job", "", "", ""),
    "script": ("job", "", "", ""),
}


def filters(kind, has):
    """Each process has its own filter above those of the one that started it."""
    started_by_zygote = "init" in has["Arguments"] or "zygote" in has["Arguments"]
    return str(1 if kind in ("service", "worker") else 3 if started_by_zygote and kind != "zygote" else 2)


def mask(names):
    return sum(1 << CAPABILITIES[name] for name in names.split())


def status(pid):
    arguments = pathlib.Path(f"/proc/{pid}/cmdline").read_text().split("\0")
    return {**status_of(pid), "Arguments": " ".join(arguments[:1] + arguments[2:])}


def kind_of(pid, server):
    found = status(pid)
    numbers = found["NSpid"].split()
    if os.readlink(f"/proc/{pid}/ns/pid") != os.readlink("/proc/self/ns/pid"):
        return "pid 1" if numbers[-1] == "1" else "script"
    if os.readlink(f"/proc/{pid}/ns/user") != os.readlink("/proc/self/ns/user"):
        return "zygote" if b"a zygote of sandbox-run" in pathlib.Path(f"/proc/{pid}/cmdline").read_bytes() else MAKING
    return "service" if pid == server.pid else "worker"


@pytest.fixture
def started(serve_as, serve):
    def start(way, cold, **chosen):
        if way != "root":
            return serve_as(way, cold=cold, **chosen)
        server = serve(cold=cold, **chosen)
        until(lambda: cold or server.run("pass", policy="default")["enforcement"]["start"] == "warm")
        return server

    return start


def faults(kind, has, way):
    """The differences from the tables."""
    uid, jobs, roots, bounding = STARTS[way]
    whose, *sets = KINDS[kind]
    whose = whose if whose != "own" else "job" if way == "root" else "service"
    permitted, ambient, bounded = ({"service": roots, "bounding": bounding}.get(each, each) for each in sets)
    uids = {int(each) for each in has["Uid"].split()}
    right = uids == {uid} if whose == "service" or jobs is None else min(uids) >= jobs and len(uids) == 1
    wanted = {"CapPrm": permitted, "CapEff": permitted, "CapInh": ambient, "CapAmb": ambient, "CapBnd": bounded}
    found = [f"{name} {has[name]}" for name, names in wanted.items()
             if names != ALL and int(has[name], 16) != mask(names)]
    found += [] if right else [f"Uid {has['Uid']}"]
    found += [f"{name} {has[name]}" for name, value in
              {"NoNewPrivs": "1", "Seccomp": "2", "Seccomp_filters": filters(kind, has)}.items() if has[name] != value]
    return [f"{kind}: {each}" for each in found]


@pytest.mark.parametrize("cold", [True, False], ids=["cold", "warm"])
@pytest.mark.parametrize("way", STARTS)
def test_each_process_has_the_privileges_that_the_table_gives_it_and_no_others(started, way, cold):
    server = started(way, cold, jobs=2, workers=2)
    held = server.hold().started()
    processes = {}

    def all_are_made():
        """Interpreters that are about to wait for their jobs get their filter last, a zygote becomes a python last."""
        processes.clear()
        for pid in server.processes():
            with contextlib.suppress(FileNotFoundError, ProcessLookupError):
                processes[pid] = kind_of(pid, server), status(pid)
        return all(kind != MAKING and has["Seccomp_filters"] == filters(kind, has)
                   for kind, has in processes.values())

    until(all_are_made)
    held.release()
    assert {kind for kind, _ in processes.values()} == \
        {"service", "worker", "pid 1", "script"} | (set() if cold else {"zygote"})
    assert [each for kind, has in processes.values() for each in faults(kind, has, way)] == []


# ── Taken over ───────────────────────────────────────────────────────────────────────────────────

# ENOSYS: our filter's; EPERM: the kernel's, for want of a capability.
REFUSED = {
    **dict.fromkeys(["perf_event_open", "bpf", "userfaultfd", "process_vm_readv", "add_key", "ptrace",
                     "syslog", "adjtimex", "socket(NETLINK_ROUTE)", "socket(NETLINK_NETFILTER)", "socket(AF_ALG)"],
                    "ENOSYS"),
    **dict.fromkeys(["socket(AF_UNIX)", "socket(NETLINK_SOCK_DIAG)"], "done"),
    **dict.fromkeys(["chroot", "mount", "unshare", "sethostname", "bounding set"], "EPERM"),
}


@pytest.mark.skipif(shutil.which("cc") is None, reason="no C compiler here")
@pytest.mark.skipif(bool(os.environ.get("SANDBOX_TEST_SANITIZED")), reason="the sanitizer's library must be the first")
def test_who_takes_the_service_over_can_administrate_nothing(serve, tmp_path):
    library, result = tmp_path / "taken_over.so", tmp_path / "result"
    source = pathlib.Path(__file__).with_name("taken_over.c")
    subprocess.run(["cc", "-shared", "-fPIC", "-D_GNU_SOURCE", "-Wall", "-Werror", "-o", library, source], check=True)
    server = serve(cold=True, env={"LD_PRELOAD": str(library), "TAKEN_OVER": str(result)})
    server.signal(signal.SIGUSR1)
    until(lambda: result.exists() and result.read_text().count("\n") >= len(REFUSED))
    assert dict(line.rsplit(" ", 1) for line in result.read_text().splitlines()) == REFUSED
    assert server.run("print('ran')")["output"] == "ran"


def test_a_root_service_reads_again_what_is_another_users_alone(serve, policies):
    server = serve(policies=policies(), cold=True)
    directory = policies(run={"description": "changed"})
    for path in (directory, directory / "run.json"):
        shutil.chown(path, UID)
        path.chmod(0o700)
    server.signal(signal.SIGHUP)
    until(lambda: any(each["description"] == "changed" for each in server.get("/policies").json["policies"]))


# ── What jobs see of it ──────────────────────────────────────────────────────────────────────────

# x86-64's, in the order of privileges.c.
CALLS = [101, 310, 311, 440, 312, 438, 321, 298, 323, 426, 154, 248, 249, 304, 300, 301, 212, 175, 313, 176,
         246, 320, 169, 167, 168, 163, 179, 443, 164, 227, 305, 159, 103, 172, 173, 153, 180, 134]
ASK = f"""
import ctypes, errno
call = ctypes.CDLL(None, use_errno=True).syscall
for number in {CALLS}:
    ctypes.set_errno(0)
    print(number, call(number, 0, 0, 0, 0, 0, 0), errno.errorcode.get(ctypes.get_errno()))
for family in range(64):
    ctypes.set_errno(0)
    print("family", family, call(41, family, 2, 0) < 0, errno.errorcode.get(ctypes.get_errno()))
"""


@pytest.mark.skipif(os.uname().machine != "x86_64", reason="has the numbers of another architecture")
@pytest.mark.parametrize("profile", ["default", "strict"])
@pytest.mark.parametrize("cold", [True, False], ids=["cold", "warm"])
def test_a_call_that_a_jobs_filter_refuses_is_answered_by_that_one(serve, policies, profile, cold):
    directory = policies(run_code={"seccomp": profile})
    server = serve(policies=directory, cold=cold)
    until(lambda: cold or server.run("pass", policy="run_code")["enforcement"]["start"] == "warm")
    alone = subprocess.run(
        [BINARY, "--policy", directory / "run_code.json", "--rootfs", rootfs_path(), "-c", ASK],
        capture_output=True, text=True, check=True).stdout
    assert profile == "strict" or alone.count("EPERM") > 30  # ENOSYS would be the service's own answer, too
    assert server.run(ASK, policy="run_code")["stdout"] == alone


def test_a_call_that_only_the_services_filter_refuses_is_as_if_the_kernel_did_not_have_it(serve, policies):
    directory = policies(run_code={"seccomp": "traces"})
    profile = json.loads((directory / "seccomp" / "default.json").read_text())
    profile["groups"].insert(0, {"why": "To try it.", "action": "allow", "calls": ["kcmp", "getpid"]})
    for group in profile["groups"][1:]:
        group["calls"] = [each for each in group["calls"] if each not in ("kcmp", "getpid")]
    (directory / "seccomp" / "traces.json").write_text(json.dumps(profile))
    code = """
import ctypes, errno, os
kcmp = {"x86_64": 312, "aarch64": 272}[os.uname().machine]
print(ctypes.CDLL(None, use_errno=True).syscall(kcmp, 0, 0, 0, 0, 0), errno.errorcode[ctypes.get_errno()])
"""
    assert serve(policies=directory).run(code, policy="run_code")["output"] == "-1 ENOSYS"


# ── A host that has run no job yet ───────────────────────────────────────────────────────────────

HIERARCHIES = [place for place in map(pathlib.Path, ["/sys/fs/cgroup", *(f"/sys/fs/cgroup/{name}" for name in
               ("unified", "memory", "cpu", "cpu,cpuacct", "pids"))]) if place.joinpath("cgroup.procs").exists()]
# Mounts pairs of directories over each other, and becomes the command behind "--".
OVER_EACH_OTHER = 'while [ "$1" != -- ]; do mount --bind "$1" "$2"; shift 2; done; shift; exec "$@"'
WITH_SYSTEMD = ["sh", "-ec", 'mount -t tmpfs run /run; mkdir -p /run/systemd/system; exec "$@"', "sh"]


@pytest.fixture
def fresh_cgroups():
    """What gives a command hierarchies with nothing in them, and no way to write into their roots: 0555, as the
    kernel makes them."""
    pairs = [(hierarchy / f"fresh-{os.getpid()}", hierarchy) for hierarchy in HIERARCHIES]
    for fresh, _ in pairs:
        fresh.mkdir()
        fresh.chmod(0o555)
    places = [str(place) for pair in pairs for place in pair]
    yield ["unshare", "--mount", "sh", "-ec", OVER_EACH_OTHER, "sh", *places, "--"]
    for fresh, _ in pairs:
        for left in sorted(fresh.glob("**/"), reverse=True):
            left.rmdir()


@pytest.mark.parametrize("workers", [1, 2])
def test_a_service_of_root_is_the_first_that_makes_a_cgroup_on_its_host(fresh_cgroups, serve, workers):
    server = serve(jobs=2, workers=workers, prefix=fresh_cgroups)
    assert server.run("print(1)")["stdout"] == "1\n"


@pytest.mark.skipif(pathlib.Path("/sys/fs/cgroup/cgroup.controllers").exists(), reason="needs controllers on cgroup v1")
def test_so_it_is_where_systemd_has_the_controllers_on_v1(fresh_cgroups, serve):
    """A hybrid hierarchy: systemd gives no scope there."""
    server = serve(jobs=2, cold=True, prefix=[*fresh_cgroups, *WITH_SYSTEMD])
    assert server.run("print(1)")["stdout"] == "1\n"

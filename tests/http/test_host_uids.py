"""Which uid of the host jobs have when the service is an ordinary user's: by the capabilities that the unit gives, by
newuidmap, or the service's own. What the kernel counts by uid, a job of each tries to use up. Only root can start
services as other users."""

import contextlib
import os
import pathlib
import re
import shutil
import subprocess

import pytest

from ordinary_user import FIRST, OWN, SUBGID, SUBUID, UID, WAYS, capabilities, ids, prefix
from processes import living, process_table
from sandbox_run import rootfs_path
from sandbox_serve import SERVE, Held, options, says
from waiting import until

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="needs root: starts the service as an ordinary user")

WATCHES = pathlib.Path("/proc/sys/fs/epoll/max_user_watches")


@contextlib.contextmanager
def beside(server, code):
    """A job that does something, says so, and goes on to wait meanwhile."""
    held = Held(server, None, {"open_files": 4096}, {}, code + "\n").started()
    yield
    held.release()


# ── Using up ─────────────────────────────────────────────────────────────────────────────────────

TAKE_WATCHES = """
import os, select
targets = [os.eventfd(0) for _ in range(150)]
pollers = [select.epoll() for _ in range(100)]
try:
    for poller in pollers:
        for target in targets:
            poller.register(target, select.EPOLLIN)
except OSError as error:
    print(error)
"""
TAKE_ONE = "import os, select\nselect.epoll().register(os.eventfd(0), select.EPOLLIN)"


@pytest.fixture
def few_watches():
    """A job then uses them up in milliseconds, and not with a gigabyte."""
    before = WATCHES.read_text()
    WATCHES.write_text("12000")
    yield
    WATCHES.write_text(before)


@pytest.mark.alone
@pytest.mark.parametrize("cold", [True, False], ids=["cold", "warm"])
@pytest.mark.parametrize("way", WAYS)
def test_a_job_that_takes_all_epoll_watches_stops_nobody_else(serve_as, few_watches, way, cold):
    server = serve_as(way, cold=cold, jobs=2)
    with beside(server, TAKE_WATCHES):
        if way == "shared":  # what is defended against; how a service ends that has no watches, nobody promises
            other = subprocess.run([*WAYS[way], "/usr/bin/python3", "-c", TAKE_ONE], capture_output=True, text=True)
            assert "No space left on device" in other.stderr, other
            WATCHES.write_text("100000")
        else:
            assert server.get("/health").status == 200
            assert server.run("print('ran')")["output"] == "ran"


SEND = """
import os, socket
def send(count):
    pair = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
    for _ in range(count // 10):
        socket.send_fds(pair[0], [b"x"], [0] * 10)
    return pair
"""


@pytest.mark.parametrize("way", WAYS)
def test_a_job_with_many_descriptors_under_way_keeps_nobody_from_sending_some(serve_as, way):
    server = serve_as(way, jobs=2)
    crowd = f"{SEND}\nkept = [send(200) for _ in range(20)]"
    with beside(server, crowd):
        answer = server.run(f"{SEND}\nsend(10)\nprint('sent')")
        if way == "shared":
            assert "Too many references" in answer["stderr"]
        else:
            assert answer["output"] == "sent"


@pytest.mark.parametrize("way", WAYS)
def test_a_job_with_many_pipes_leaves_the_pipes_of_others_as_large_as_they_were(serve_as, way):
    server = serve_as(way, jobs=2)
    with beside(server, "import os\nkept = [os.pipe() for _ in range(1200)]"):
        size = server.run("import fcntl, os\nprint(fcntl.fcntl(os.pipe()[0], fcntl.F_GETPIPE_SZ))")["output"]
        assert (int(size) < 65536) == (way == "shared")


# ── What they are ────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("cold", [True, False], ids=["cold", "warm"])
@pytest.mark.parametrize("way,uid,gid", [("capabilities", FIRST, FIRST), ("helpers", SUBUID, SUBGID)])
def test_each_job_has_a_uid_and_a_gid_of_its_own(serve_as, way, uid, gid, cold):
    server = serve_as(way, cold=cold, jobs=4, workers=2)
    jobs = [server.hold().started() for _ in range(2)]
    found = [(ids(pid), ids(pid, "Gid")) for job in jobs for pid in job.pids()]
    assert len({next(iter(uids)) for uids, _ in found}) == len(found) == 2
    for uids, gids in found:
        assert len(uids) == len(gids) == 1
        assert uid <= min(uids) < uid + 65536 and min(gids) - gid == min(uids) - uid
    if way == "capabilities":  # newgidmap denies what takes them away
        assert all(ids(pid, "Groups") == set() for job in jobs for pid in job.pids())
    for job in jobs:
        job.release()


def test_jobs_without_one_have_that_of_the_service(serve_as):
    server = serve_as("shared", jobs=2)
    held = server.hold().started()
    assert ids(held.pid()) == ids(server.pid) == {UID}
    held.release()


@pytest.mark.parametrize("way", OWN)
def test_the_service_keeps_no_privilege(serve_as, way):
    server = serve_as(way, jobs=2, workers=2)
    assert server.run("print(1)")["verdict"] == "ok"
    table = process_table()
    for pid in [server.pid, *(pid for pid, parent in table.items() if parent == server.pid)]:
        assert ids(pid) == {UID}
        kept = capabilities(pid)
        bounding = kept.pop("CapBnd")
        assert set(kept.values()) == {0}, kept
        assert bounding == 0 or way == "helpers"  # it was given no CAP_SETPCAP


@pytest.mark.parametrize("cold", [True, False], ids=["cold", "warm"])
@pytest.mark.parametrize("way", OWN)
def test_a_job_is_what_it_is_elsewhere(serve_as, way, cold):
    server = serve_as(way, cold=cold)
    answer = server.run("""
import os, sys, helper
print(os.getuid(), os.getgid(), os.getresuid(), helper.x, sys.stdin.read())
print("again", file=open("/dev/stdout", "w"), flush=True)
print("error", file=open("/dev/stderr", "w"), flush=True)
open("/tmp/x", "w").close(), open("/work/x", "w").close(), open("/dev/shm/x", "w").close()
print(os.stat("/tmp/x").st_uid, os.stat("/usr").st_uid, os.environ["HOME"])
print(*open("/proc/self/uid_map").read().split()[::2])
""", files={"helper.py": "x = 5"}, stdin="typed", policy="default")
    assert answer["verdict"] == "ok", answer
    assert answer["enforcement"]["start"] == ("cold" if cold else "warm")
    assert answer["stdout"] == "1000 1000 (1000, 1000, 1000) 5 typed\nagain\n1000 65534 /work\n1000 1\n"
    assert answer["stderr"] == "error\n"


@pytest.mark.parametrize("cold", [True, False], ids=["cold", "warm"])
@pytest.mark.parametrize("way", OWN)
def test_a_job_of_another_uid_is_ended_like_any(serve_as, way, cold):
    server = serve_as(way, cold=cold, jobs=2)
    forks = "import os, time\nfor _ in range(3): os.fork()\nos.setsid() if os.getpid() != 2 else 0\ntime.sleep(600)"
    assert server.run(forks, limits={"wall_time_ms": 300})["verdict"] == "timeout"
    held = server.hold().started()
    pids = held.pids()
    held.leave()
    until(lambda: not living(pids))
    held = server.hold().started()
    pids = held.pids()
    server.kill()
    server.wait()
    assert not living(pids)


# ── What is told ─────────────────────────────────────────────────────────────────────────────────


def test_the_log_says_which_way_it_is(serve_as):
    assert serve_as("capabilities").log.wait(says("CAP_SETUID"))["message"] == \
        f"each job has a host uid of its own, from {FIRST} to {FIRST + 65535}, by CAP_SETUID and CAP_SETGID"
    assert f"from {SUBUID} to {SUBUID + 65535}, by newuidmap" in \
        serve_as("helpers").log.wait(says("host uid of its own"))["message"]


@pytest.mark.parametrize("how,why", [
    ({}, "/etc/subuid has no range for this user"),
    ({"way": "helpers", "files": ("passwd", "subuid")}, "/etc/subgid has no range for this user"),
    ({"way": "helpers", "become": [*WAYS["helpers"], "--no-new-privs"]}, "no_new_privs keeps newuidmap"),
    ({"way": "helpers", "become": [*WAYS["helpers"], "env", "PATH=/nowhere"]}, "there is no program newuidmap"),
], ids=["no range", "no range of gids", "no_new_privs", "no newuidmap"])
def test_the_log_says_what_is_shared_and_why(serve_as, how, why):
    server = serve_as(**{"way": "shared", **how})
    record = server.log.wait(says("jobs have the uid of this service"))
    assert record["level"] == "warning" and f"{UID} ({why}" in record["message"]
    assert "epoll" in record["message"] and "--doctor" in record["message"]
    assert server.run("print(1)")["output"] == "1"


def test_a_range_that_was_given_to_another_is_refused_by_newuidmap(serve_as, place):
    """The service reads another /etc/subuid here than newuidmap does: newuidmap decides."""
    (place / "subuid").write_text(f"sandbox-test:{SUBUID}:65536\nsandbox-test:0:65536\n")
    (place / "subgid").write_text("sandbox-test:4294967290:65536\nsandbox-test:0:1\nsandbox-test:5:3\n")
    record = serve_as("helpers").log.wait(says("jobs have the uid of this service"))
    assert "the range of /etc/subgid for this user is too small: 3" in record["message"]


def refusal(place, launch, *words, become=None):
    server = launch([*prefix(place), *(become or WAYS["capabilities"]), str(place / "bin" / SERVE.name),
                     *options(listen="127.0.0.1:0", rootfs=place / "rootfs", policies=place / "policies",
                              best_effort=True, cgroup="none"), *words], cwd="/")
    assert server.wait() > 0
    return server.log.records[-1]["message"]


def test_a_range_with_the_services_own_uid_is_refused(place, launch):
    said = refusal(place, launch, "--uid-range", f"{UID - 10}:20")
    assert f"our own id {UID}" in said and "--uid-range" in said


def test_a_range_that_is_smaller_than_the_jobs_is_refused(place, launch):
    assert "--uid-range" in refusal(place, launch, "--uid-range", "200000:2")


def test_a_range_of_roots_that_is_smaller_than_jobs_and_interpreters_is_refused(place, launch):
    root = ["env"]
    said = refusal(place, launch, "--uid-range", "200000:8", "--jobs", "4", become=root)
    assert "--uid-range" in said and "--cold" in said
    launch([*prefix(place), *root, str(place / "bin" / SERVE.name),
            *options(listen="127.0.0.1:0", rootfs=place / "rootfs", policies=place / "policies", best_effort=True,
                     cgroup="none", cold=True), "--uid-range", "200000:8", "--jobs", "4"], cwd="/").listening().stop()


# Becomes root of a user namespace that has only the uids below 70000, by a child that stays outside, and runs a command.
CONTAINER = ["python3", "-c", """
import ctypes, os, sys
inside, mapped = os.pipe(), os.pipe()
if os.fork() == 0:
    os.read(inside[0], 1)
    for kind in "uid", "gid":
        open(f"/proc/{os.getppid()}/{kind}_map", "w").write("0 0 70000")
    os._exit(0)
assert ctypes.CDLL(None).unshare(0x10000000) == 0
os.write(inside[1], b"x")
os.wait()
os.execvp(sys.argv[1], sys.argv[1:])
"""]


def test_a_range_that_is_not_there_is_told(serve_as):
    server = serve_as("capabilities", become=[*CONTAINER, *WAYS["capabilities"]], uid_range=f"{FIRST}:65536")
    said = server.log.wait(says("jobs have the uid of this service"))["message"]
    assert "CAP_SETUID and CAP_SETGID do not map" in said and "/proc/self/uid_map" in said
    assert server.run("print(1)")["output"] == "1"


def test_without_the_usual_range_jobs_get_other_ids_of_the_namespace(serve_as):
    server = serve_as("capabilities", become=[*CONTAINER, *WAYS["capabilities"]])
    assert "each job has a host uid of its own" in server.log.wait(says("host uid"))["message"]
    outside = int(server.run("print(open('/proc/self/uid_map').read())")["output"].split()[1])
    assert outside != UID and 1000 <= outside < 65534


@pytest.mark.parametrize("way", OWN)
def test_a_root_file_system_that_others_may_not_read_is_refused(place, launch, way, tmp_path):
    closed = place / "closed"
    shutil.copytree(rootfs_path() / "usr/lib/sandbox-run", closed / "usr/lib/sandbox-run")
    for name in ("proc", "dev", "tmp", "work"):
        (closed / name).mkdir()
    shutil.chown(closed, UID)
    closed.chmod(0o700)
    said = refusal(place, launch, "--rootfs", str(closed))
    assert said.endswith(f"{closed} is closed to jobs, each of which is another user: chmod -R o+rX {closed}"), said


@pytest.mark.parametrize("way", WAYS)
def test_doctor_says_which_way_it_is(place, way):
    files = ("passwd", "subuid", "subgid") if way == "helpers" else ()
    ran = subprocess.run(
        [*prefix(place, files), *WAYS[way], str(place / "bin/sandbox-run"), "--doctor", "--rootfs", place / "rootfs"],
        cwd="/", env={**os.environ, "SANDBOX_POLICIES": str(place / "policies")}, capture_output=True, text=True,
        check=False)
    line, = re.findall(r"^.*host uids of jobs.*(?:\n     .*)*", ran.stdout, re.MULTILINE)
    if way == "shared":
        assert line.startswith("NO") and "/etc/subuid has no range" in line and "(not required)" in line
        assert f"uid {UID}" in line and "max_user_watches" in line and "package uidmap" in line
    else:
        assert line.startswith("yes") and ("newuidmap" if way == "helpers" else "CAP_SETUID") in line

"""The zygote, which jobs are forked from: what it may do, and what a hostile package that it imports reaches."""

import contextlib
import ctypes
import errno
import json
import os
import pathlib
import re
import shutil
import subprocess

import pytest

from ordinary_user import WAYS, capabilities, ids
from processes import process_table, status_of
from sandbox_serve import POLICIES
from waiting import until
from zygotes import READY, zygotes

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="the zygotes of a service that is root")
FIRST, COUNT = 0x70000000, 65536


def preloading(mounted, environment=None):
    """A policy's changes with which it preloads the package, from a directory that is made."""
    mounted.mkdir()
    mounted.chmod(0o755)
    (mounted / "mine.py").write_text(pathlib.Path(__file__).with_name("hostile_package.py").read_text())
    (mounted / "mine.py").chmod(0o644)
    return {"preload": ["mine"], "environment": {"PYTHONPATH": "/mnt", **(environment or {})},
            "mounts": [{"source": str(mounted), "target": "/mnt"}]}


def what_it_found(server):
    """As a warm job tells it."""
    answers = []

    def warm():
        answers.append(server.run("import json, mine; print(json.dumps(mine.found))", policy="run_code"))
        return answers[-1]["enforcement"]["start"] == "warm"

    until(warm)
    return json.loads(answers[-1]["output"])


@pytest.fixture
def hostile(serve, policies, tmp_path):
    """hostile(environment, proc=…) gives what the package found."""
    def start(environment=None, **changed):
        preload = preloading(tmp_path / "mounted", environment)
        return what_it_found(serve(policies=policies(run_code={**preload, **changed})))
    return start


def tried(found, *names):
    chosen = {name: what for name, what in found.items() if name.startswith(names)}
    assert chosen
    return chosen


def reached(found, *names):
    return [name for name, what in tried(found, *names).items() if what == "done"]


@as_root
@pytest.mark.parametrize("proc", ["subset", "masked"])
def test_a_preloaded_package_writes_nothing_in_proc_and_reads_of_no_process_but_its_own(hostile, proc):
    assert reached(hostile(proc=proc), "write /proc", "read /proc") == []


@as_root
def test_a_preloaded_package_reaches_no_process_of_others(hostile):
    assert reached(hostile(), "signal ", "limit ", "schedule ", "trace ") == []


@as_root
def test_a_preloaded_package_does_not_become_root(hostile):
    assert reached(hostile(), "become root") == []


@as_root
@pytest.mark.parametrize("when", ["at first", "while it clones"])
def test_a_preloaded_package_changes_no_cgroup_but_where_its_own_children_go(hostile, when):
    assert hostile()[f"cgroups {when}"] == []


def test_a_zygote_is_refused_what_neither_jobs_nor_their_start_need(hostile):
    """As if the kernel did not have it: most of this it would refuse for want of a privilege, after it has begun."""
    found = tried(hostile(), "call ", "AF_", "trace ")
    assert len(found) > 30 and set(found.values()) == {errno.ENOSYS}, found


def has_rings():
    try:
        return pathlib.Path("/proc/sys/kernel/io_uring_disabled").read_text().strip() == "0"
    except OSError:  # before Linux 6.6
        return ctypes.CDLL(None).syscall(425, 0, None) < 0 and ctypes.get_errno() != errno.ENOSYS


@pytest.mark.skipif(not has_rings(), reason="this host has no io_uring for everybody")
def test_the_ring_of_a_zygote_pins_memory_and_does_nothing_else(hostile):
    found = tried(hostile(), "ring ")
    assert found.pop("ring 0") in (errno.EFAULT, errno.EINVAL)  # IORING_REGISTER_BUFFERS
    assert set(found.values()) == {errno.EACCES}, found


def landlock_version():
    return ctypes.CDLL(None).syscall(444, None, 0, 1)  # landlock_create_ruleset


needs_scopes = pytest.mark.skipif(landlock_version() < 6, reason="this kernel's Landlock has no scopes")


@as_root
@needs_scopes
def test_a_zygote_that_becomes_another_jobs_user_cannot_end_that_job(hostile):
    uid = FIRST + COUNT - 5
    with subprocess.Popen(["setpriv", f"--reuid={uid}", f"--regid={uid}", "--clear-groups", "sleep", "600"]) as job:
        found = hostile({"OTHER_JOB": f"{uid} {job.pid}"})
        job.kill()
    assert (found["become another job"], found["kill another job"]) == ("done", errno.EPERM)


@as_root
@needs_scopes
@pytest.mark.parametrize("way", WAYS)
def test_a_zygote_of_a_services_own_user_cannot_end_the_service(serve_as, place, way):
    own = place / "own"
    shutil.copytree(POLICIES, own)
    policy = json.loads((own / "run_code.json").read_text())
    (own / "run_code.json").write_text(json.dumps(policy | preloading(place / "mounted")))
    found = what_it_found(serve_as(way, policies=own, cold=False))
    assert reached(found, "signal ", "trace ", "become root") == []


def uids_of_all_but(pids):
    found = set()
    for pid in process_table().keys() - set(pids):
        with contextlib.suppress(OSError):  # it has just ended
            found |= ids(pid)
    return found


@as_root
def test_each_zygote_of_a_root_service_has_a_uid_that_no_other_process_has(serve):
    server = serve(jobs=4, workers=2)
    until(lambda: server.metric("sandbox_warm_zygotes") >= 2 * READY and server.metric("sandbox_warm_parked") > 0)
    there = zygotes(server)
    own = [(ids(pid), ids(pid, "Gid")) for pid in there]
    assert len(own) >= 2 * READY
    for uids, gids in own:
        assert len(uids) == len(gids) == 1 and FIRST <= min(uids) < FIRST + COUNT
    assert len({min(uids) for uids, _ in own}) == len(own)
    # A child is its zygote's user until it has one of its own.
    until(lambda: not set.union(*(uids for uids, _ in own)) & uids_of_all_but(there))


KEPT = 1 << 6 | 1 << 7 | 1 << 21  # CAP_SETGID, CAP_SETUID, CAP_SYS_ADMIN


def test_a_zygote_has_three_capabilities_over_its_own_namespace(server):
    until(lambda: server.metric("sandbox_warm_zygotes") >= READY)
    for pid in zygotes(server):
        assert set(capabilities(pid).values()) == {KEPT}
        assert os.readlink(f"/proc/{pid}/ns/user") != os.readlink("/proc/self/ns/user")
        assert (status_of(pid)["NoNewPrivs"], status_of(pid)["Seccomp"]) == ("1", "2")
        assert not os.geteuid() == 0 or status_of(pid)["Groups"] == ""


@as_root
def test_the_cgroup_of_a_zygote_goes_with_it(serve):
    server = serve(jobs=2)
    until(lambda: server.metric("sandbox_warm_zygotes") >= READY)
    cgroups = {re.search(r"^0::(.*)$", pathlib.Path(f"/proc/{pid}/cgroup").read_text(), re.MULTILINE)[1]
               for pid in zygotes(server)}
    places = [pathlib.Path(f"/sys/fs/cgroup{tree}{path}") for path in cgroups for tree in ("", "/unified")]
    places = [place for place in places if place.exists()]
    assert len(places) == len(cgroups) >= READY and all(place.name.startswith("job-") for place in places)
    server.stop()
    assert not any(place.exists() for place in places)



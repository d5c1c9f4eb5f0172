"""The identity of a job: its ids, inside and on the host. It has no privileges."""

import pytest

from processes import descendants, status_of
from sandbox_run import counts_processes

pytestmark = pytest.mark.vm("delegated")


def test_uid_and_gid_are_1000(inside):
    assert inside["ids"] == [[1000] * 3, [1000] * 3]
    assert inside["status"]["Uid"].split() == inside["status"]["Gid"].split() == ["1000"] * 4


def test_as_root_there_are_no_supplementary_groups(inside, host):
    host.skip_unless_root("an ordinary user's groups can't be dropped, see the next test")
    assert inside["groups"] == []


def test_no_group_of_the_host_but_the_callers_own_has_a_number_inside(inside):
    # The kernel lets an ordinary user drop no group before it is denied to set any. Those that are
    # left are not mapped: they are the overflow gid, and no file of the host's is there to open.
    assert set(inside["groups"]) <= {1000, 65534}


def test_setgroups_is_denied(inside):
    assert inside["setgroups"] == "deny"


def test_one_uid_is_mapped_and_no_other(inside):
    assert len(inside["uid_map"]) == 3
    assert (inside["uid_map"][0], inside["uid_map"][2]) == ("1000", "1")


@counts_processes
def test_as_root_a_job_is_nobody_on_the_host(run, host):
    host.skip_unless_root("an ordinary user's jobs run as that user")
    started = run.start(code="import sys; print('ready', flush=True); sys.stdin.read()")
    started.expect("ready")
    for pid in descendants(started.pid):
        for key in ("Uid", "Gid"):
            ids = set(status_of(pid)[key].split())
            assert len(ids) == 1 and int(ids.pop()) >= 1000, status_of(pid)
        assert status_of(pid)["Groups"].split() == []
    assert started.finish().status == 0


@counts_processes
def test_as_root_each_job_has_a_host_uid_of_its_own(run, host):
    host.skip_unless_root("an ordinary user's jobs run as that user")
    jobs = [run.start("--uid-range", "700000:8",
                      code="import sys; print('ready', flush=True); sys.stdin.read()")
            for _ in range(4)]
    uids = []
    for job in jobs:
        job.expect("ready")
        uids.append({int(status_of(pid)["Uid"].split()[0]) for pid in descendants(job.pid)})
    assert all(len(each) == 1 for each in uids), uids
    assert len(set.union(*uids)) == 4
    assert all(700000 <= uid < 700008 for uid in set.union(*uids)), uids
    for job in jobs:
        assert job.finish().status == 0


@pytest.mark.parametrize("kind", ["CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"])
def test_there_are_no_capabilities(inside, kind):
    assert int(inside["status"][kind], 16) == 0


def test_no_new_privileges_can_be_gained(inside):
    assert inside["status"]["NoNewPrivs"] == "1"


def test_a_seccomp_filter_is_in_force(inside):
    assert inside["status"]["Seccomp"] == "2"


def test_securebits_are_locked(inside):
    bits = inside["securebits"]
    assert bits & 0b10101010 == 0b10101010, bin(bits)  # each bit's lock
    assert bits & 0b01000101 == 0b01000101, bin(bits)  # noroot, no_setuid_fixup, no_cap_ambient

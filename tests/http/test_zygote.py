"""The zygote, which jobs are forked from: what it may do, and what a hostile package that it imports reaches."""

import json
import os
import pathlib
import re

import pytest

from conftest import integration, until
from test_host_uids import capabilities, ids
from test_warm_service import READY, zygotes

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="the zygotes of a service that is root")
FIRST, COUNT = 0x70000000, 65536


@pytest.fixture
def hostile(serve, policies, tmp_path):
    """What the package found, as a warm job tells it."""
    mounted = tmp_path / "mounted"
    mounted.mkdir(mode=0o755)
    mounted.chmod(0o755)
    (mounted / "mine.py").write_text(pathlib.Path(__file__).with_name("hostile_package.py").read_text())
    server = serve(policies=policies(run_code={
        "preload": ["mine"], "environment": {"PYTHONPATH": "/mnt"},
        "mounts": [{"source": str(mounted), "target": "/mnt"}]}))
    answers = []

    def warm():
        answers.append(server.run("import json, mine; print(json.dumps(mine.found))", policy="run_code"))
        return answers[-1]["enforcement"]["start"] == "warm"

    until(warm)
    return json.loads(answers[-1]["output"])


def refused(found, *names):
    """Of what was tried: what came of these, unless it was refused."""
    tried = {name: what for name, what in found.items() if name.startswith(names)}
    assert tried
    return {name: what for name, what in tried.items() if what == "done"}


@as_root
def test_a_preloaded_package_reaches_nothing_of_the_hosts_proc(hostile):
    assert refused(hostile, "write /proc", "read /proc") == {}


@as_root
def test_a_preloaded_package_reaches_no_process_of_others(hostile):
    assert refused(hostile, "signal ", "limit ", "schedule ", "trace ") == {}


@as_root
def test_a_preloaded_package_does_not_become_root(hostile):
    assert refused(hostile, "become root") == {}


@as_root
@pytest.mark.parametrize("when", ["at first", "while it clones"])
def test_a_preloaded_package_changes_no_cgroup_but_where_its_own_children_go(hostile, when):
    assert hostile[f"cgroups {when}"] == []


def status(pid, name):
    return re.search(rf"^{name}:[ \t]*(.*)$", pathlib.Path(f"/proc/{pid}/status").read_text(), re.MULTILINE)[1]


@as_root
def test_each_zygote_of_a_root_service_has_a_uid_that_no_other_process_has(serve):
    server = serve(jobs=4, workers=2)
    until(lambda: server.metric("sandbox_warm_zygotes") >= 2 * READY and server.metric("sandbox_warm_parked") > 0)
    there = zygotes(server)
    table = [pid for pid in integration.processes() if pid not in there]
    others = set()
    for pid in table:
        try:
            others |= ids(pid)
        except (OSError, TypeError):  # it has just ended
            pass
    own = [(ids(pid), ids(pid, "Gid")) for pid in there]
    assert len(own) >= 2 * READY
    for uids, gids in own:
        assert len(uids) == len(gids) == 1 and FIRST <= min(uids) < FIRST + COUNT and not uids & others
    assert len({min(uids) for uids, _ in own}) == len(own)


KEPT = 1 << 6 | 1 << 7 | 1 << 21  # CAP_SETGID, CAP_SETUID, CAP_SYS_ADMIN


def test_a_zygote_has_three_capabilities_over_its_own_namespace(server):
    until(lambda: server.metric("sandbox_warm_zygotes") >= READY)
    for pid in zygotes(server):
        assert set(capabilities(pid).values()) == {KEPT}
        assert os.readlink(f"/proc/{pid}/ns/user") != os.readlink("/proc/self/ns/user")
        assert status(pid, "NoNewPrivs") == "1"
        assert not os.geteuid() == 0 or status(pid, "Groups") == ""


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

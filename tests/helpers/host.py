"""The host that the tests run on."""

import contextlib
import dataclasses
import os
import pathlib
import stat

import pytest

from sandbox_run import Sandbox


@dataclasses.dataclass(frozen=True)
class Host:
    root: bool
    cgroup: str  # "v1" or "v2": what a first job said enforced it
    asked: str  # --cgroup of these tests, "auto" when none is passed

    def skip_unless_root(self, why):
        if not self.root:
            pytest.skip(f"needs root: {why}")


def find_host(directory, known=[]):
    """The host as the first job of this worker described it."""
    if not known:
        ran = Sandbox(directory)("--json", code="pass")
        assert ran.status == 0, f"the simplest job fails on this host: {ran}"
        known.append(Host(os.geteuid() == 0, ran.verdict["enforcement"]["cgroup"],
                          os.environ.get("SANDBOX_TEST_CGROUP") or "auto"))
    return known[0]


def reachable_by_all(path):
    path = pathlib.Path(path).resolve()
    return all(stat.S_IMODE(part.stat().st_mode) & 0o005 == 0o005 for part in [path, *path.parents])


@contextlib.contextmanager
def cpu_quota(host, millicpus):
    """The prefix of a command that may use so many thousandths of a CPU, by a cgroup above its own."""
    host.skip_unless_root("to make a cgroup")
    root, file, period = (("/sys/fs/cgroup/cpu", "cpu.cfs_quota_us", "") if host.cgroup == "v1" else
                          ("/sys/fs/cgroup", "cpu.max", " 100000"))
    outer = pathlib.Path(root, f"sandbox-run-quota-{os.getpid()}")
    inner = outer / "inner"
    inner.mkdir(parents=True)
    try:
        (outer / file).write_text(f"{millicpus * 100}{period}")
        yield ["sh", "-c", f"echo 0 > {inner}/cgroup.procs && exec \"$@\"", "sh"]
    finally:
        for directory in (inner, outer):
            with contextlib.suppress(OSError):  # after a failure somebody may be in there
                directory.rmdir()

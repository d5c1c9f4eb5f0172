"""Whatever sandbox-run could leave on the host: cgroups, mounts, files, descriptors, processes."""

import contextlib
import fcntl
import os
import pathlib
import re

from processes import describe, descendants
from waiting import until


def cgroups():
    """The cgroups of jobs, all hierarchies, as paths, and the scopes that were made for them. Those
    whose owner lives (it holds a lock) are left out, so that others may use the machine as well."""
    found = job_directories()
    # The one that holds the lock is made first and removed last: a second look finds it.
    again = job_directories()
    owned = {os.path.basename(path) for path in again if has_owner(path)}
    return {path for path in found & again if os.path.basename(path) not in owned}


def job_directories():
    return {os.path.join(directory, name) for directory, names, _ in os.walk("/sys/fs/cgroup")
            for name in names if re.fullmatch(r"job-\d+|sandbox-run-\d+\.scope", name)}


def has_owner(cgroup):
    """A job's is locked by its owner, who sits in his scope himself."""
    if cgroup.endswith(".scope"):
        return bool(cgroup_processes(cgroup))
    try:
        fd = os.open(cgroup, os.O_RDONLY | os.O_DIRECTORY)
    except FileNotFoundError:
        return True  # gone by now
    try:
        fcntl.flock(fd, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(fd)
    return False


def cgroup_processes(cgroup):
    """The pids in a cgroup and in those below it."""
    pids = set()
    for directory, _, files in os.walk(cgroup):
        if "cgroup.procs" in files:
            with contextlib.suppress(OSError):
                pids.update(map(int, pathlib.Path(directory, "cgroup.procs").read_text().split()))
    return pids


def mounts():
    return set(pathlib.Path("/proc/self/mountinfo").read_text().splitlines())


def temporary_files():
    """Entries of the directories for temporary files that could be of sandbox-run."""
    found = set()
    for directory in ("/tmp", "/var/tmp", "/dev/shm", "/run", os.environ.get("XDG_RUNTIME_DIR")):
        with contextlib.suppress(OSError, TypeError):
            found.update(os.path.join(directory, name) for name in os.listdir(directory)
                         if "sandbox" in name and not name.startswith("sandbox-run-test"))
    return found


def descriptors():
    """The open descriptors of this process."""
    return {fd: os.readlink(f"/proc/self/fd/{fd}") for fd in os.listdir("/proc/self/fd")
            if os.path.islink(f"/proc/self/fd/{fd}")}


class Left:
    """The state of the host before a test, to compare with its state after it."""

    def __init__(self, run, host):
        self._run = run
        self._host = host
        self._before = self._count()

    @staticmethod
    def _count():
        return {"cgroups": cgroups(), "mounts": mounts(), "files": temporary_files(),
                "descriptors": set(descriptors())}

    def check_cgroups(self):
        """Fails when there is a cgroup of the dead that was not there before."""
        # A scope is systemd's: it removes the cgroup once the kernel tells it that it is empty.
        if self._host.asked == "v2-scope" or (not self._host.root and self._host.cgroup == "v2"):
            until(lambda: cgroups() <= self._before["cgroups"])
        assert cgroups() <= self._before["cgroups"]

    def check(self):
        """Fails unless everything is as it was before."""
        self._run.close()
        self.check_cgroups()
        after = self._count()
        left = {kind: sorted(after[kind] - self._before[kind]) for kind in after}
        left["processes"] = describe(descendants())
        assert not any(left.values()), left

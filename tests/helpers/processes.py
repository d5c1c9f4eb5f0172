"""The processes that a test has started, and those of its jobs."""

import contextlib
import os
import pathlib

from kernel import libc

PR_SET_CHILD_SUBREAPER = 36


def adopt_orphans():
    """Processes that outlive their sandbox-run become children of this one: they can be counted."""
    libc.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def process_table():
    """pid → parent's pid, of all processes that can be seen, the dead ones included that nobody
    has waited for."""
    table = {}
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            try:
                # All tests together read many of these files: pathlib would take half of their time.
                fd = os.open(f"/proc/{entry}/stat", os.O_RDONLY)
            except OSError:
                continue
            try:
                text = os.read(fd, 4096)
            except ProcessLookupError:
                continue
            finally:
                os.close(fd)
            table[int(entry)] = int(text.rpartition(b")")[2].split(None, 2)[1])
    return table


def descendants(*ancestors):
    """The pids of all processes below some; by default of this one, that is of the tests so far."""
    return below(process_table(), *(ancestors or [os.getpid()]))


def below(table, *ancestors):
    found, level = set(), set(ancestors)
    while level:
        level = {pid for pid, parent in table.items() if parent in level} - found
        found |= level
    return found


def living(pids):
    """Those of some processes that are not dead already."""
    found = set()
    for pid in pids:
        with contextlib.suppress(OSError):
            text = pathlib.Path(f"/proc/{pid}/stat").read_text()
            if text.rpartition(")")[2].split()[0] not in "ZX":
                found.add(pid)
    return found


def describe(pids):
    lines = []
    for pid in sorted(pids):
        with contextlib.suppress(OSError):
            text = pathlib.Path(f"/proc/{pid}/stat").read_text()
            command = pathlib.Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ")
            lines.append(f"{text.rpartition(')')[0]}) {text.rpartition(')')[2].split()[0]} "
                         f"{command.decode(errors='replace')[:200]}")
    return lines


def status_of(pid):
    """What /proc/PID/status says: name → text."""
    text = pathlib.Path(f"/proc/{pid}/status").read_text()
    return {name: value.strip() for name, value in (line.split(":", 1) for line in text.splitlines())}


def in_pid_namespace(inode):
    """The pids of this process's descendants in a pid namespace: its number may be that of another job by now, which a
    test beside this one has started."""
    found = set()
    for pid in descendants():
        with contextlib.suppress(OSError):
            if os.stat(f"/proc/{pid}/ns/pid").st_ino == inode:
                found.add(pid)
    return found


def with_argument(text):
    """The pids of all processes with that argument."""
    found = set()
    for path in pathlib.Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            if text.encode() in path.read_bytes().split(b"\0"):
                found.add(int(path.parent.name))
    return found


def reap():
    """Waits for all children, which are dead or dying."""
    with contextlib.suppress(ChildProcessError):
        while True:
            os.waitpid(-1, 0)

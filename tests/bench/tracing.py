"""Kernel tracing of a few processes and of all that they start: what `bench --explain` reads.

The tracefs is mounted in a mount namespace that ends with the benchmark, and an instance of its own is used there: who
else traces on this machine is not disturbed."""

import bisect
import contextlib
import os
import pathlib
import re
import subprocess

EVENTS = ("raw_syscalls/sys_enter", "raw_syscalls/sys_exit", "exceptions/page_fault_user", "sched/sched_process_fork",
          "sched/sched_switch", "sched/sched_waking")
BUFFER_KIB = 65536  # for each CPU
LINE = re.compile(r"\s*.+-(\d+)\s+\[\d+\]\s+\S+\s+(\d+)\.(\d+): (\w+): (.*)")


class Absent(Exception):
    """This machine can't be traced; the text says why."""


@contextlib.contextmanager
def instance():
    """The directory of an instance of the kernel's tracing, where events are only written once pids are given."""
    script = "cd /sys/kernel/tracing; test -e trace || mount -t tracefs none .; echo ready; exec cat >&2"
    with subprocess.Popen(["unshare", "--mount", "--propagation", "private", "sh", "-ec", script], stdin=subprocess.PIPE,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE) as holder:
        if holder.stdout.readline() != b"ready\n":
            raise Absent(f"no tracefs: {holder.stderr.read().decode().strip()}")
        directory = pathlib.Path(f"/proc/{holder.pid}/root/sys/kernel/tracing/instances/sandbox-bench-{os.getpid()}")
        try:
            directory.mkdir()
        except OSError as error:
            holder.stdin.close()
            raise Absent(f"no instance of the kernel's tracing: {error.strerror}") from error
        try:
            yield directory
        finally:
            directory.rmdir()
            holder.stdin.close()


def write(directory, file, text):
    try:
        (directory / file).write_text(str(text))
    except OSError as error:
        raise Absent(f"{file}: {error.strerror}") from error


def prepare(directory):
    write(directory, "tracing_on", 0)
    write(directory, "trace_clock", "mono")
    write(directory, "buffer_size_kb", BUFFER_KIB)
    write(directory, "options/event-fork", 1)


def begin(directory, pids):
    write(directory, "set_event_pid", " ".join(map(str, pids)))
    for event in EVENTS:
        write(directory, f"events/{event}/enable", 1)
    write(directory, "tracing_on", 1)


def end(directory):
    """The text of the trace."""
    write(directory, "tracing_on", 0)
    text = (directory / "trace").read_text(errors="replace")
    lost = re.search(r"entries-in-buffer/entries-written: (\d+)/(\d+)", text)
    if lost is None or lost[1] != lost[2]:
        raise Absent("the kernel's buffer for the trace is too small")
    return text


def call_names():
    """The names of this machine's system calls by their numbers, from the C compiler's headers."""
    said = subprocess.run([os.environ.get("CC", "cc"), "-E", "-dM", "-include", "sys/syscall.h", "-x", "c", "/dev/null"],
                          capture_output=True, text=True, check=True).stdout
    return {int(number): name for name, number in re.findall(r"^#define __NR_(\w+) (\d+)$", said, re.MULTILINE)}


# ── What was traced ──────────────────────────────────────────────────────────────────────────────

class Call:
    """A system call: when it began and, in microseconds, how long it took (None: it did not return)."""

    __slots__ = ("at", "end", "name", "first")

    def __init__(self, at, name, first):
        self.at, self.end, self.name, self.first = at, None, name, first

    @property
    def took(self):
        return 0 if self.end is None else self.end - self.at


class Process:
    """What one process did, each list in the order of time (microseconds)."""

    def __init__(self):
        self.calls = []
        self.faults = []
        self.woken = []  # (when, by whom)
        self.wakes = []  # (when, whom)
        self.waits = []  # (from, to): it could have run, and something else did
        self.runs = []  # (from, to)
        self.parent = None
        self.born = None
        self._since = None  # it waits
        self._running = None

    def wake(self, at, by):
        self.woken.append((at, by))
        if self._running is None and self._since is None:
            self._since = at

    def switch_in(self, at):
        if self._since is not None:
            self.waits.append((self._since, at))
        self._since, self._running = None, at

    def switch_out(self, at, runnable):
        if self._running is not None:
            self.runs.append((self._running, at))
        self._running, self._since = None, at if runnable else None

    def within(self, calls_of, start, stop):
        return [call for call in self.calls[self.index(start):self.index(stop)] if calls_of(call)]

    def index(self, at):
        return bisect.bisect_left(self.calls, at, key=lambda call: call.at)

    def faults_within(self, start, stop):
        return bisect.bisect_left(self.faults, stop) - bisect.bisect_left(self.faults, start)

    def waited(self, start, stop):
        """Microseconds between start and stop in which it waited for a CPU."""
        return overlap(self.waits, start, stop)

    def ran(self, start, stop):
        return overlap(self.runs, start, stop)


def overlap(spans, start, stop):
    """Microseconds that spans, in the order of time and apart from each other, have in common with start to stop."""
    total = 0
    for since, to in spans[bisect.bisect_right(spans, start, key=lambda span: span[1]):]:
        if since >= stop:
            break
        total += min(stop, to) - max(start, since)
    return total


def parse(text, names):
    """Processes by their ids."""
    processes = {}

    def process(pid):
        return processes.setdefault(int(pid), Process())

    for line in text.splitlines():
        match = LINE.match(line)
        if match is None:
            continue
        pid, at, event, rest = int(match[1]), int(match[2] + match[3]), match[4], match[5]
        note(process, pid, at, event, rest, names)
    return processes


def note(process, pid, at, event, rest, names):
    """Puts one event where it belongs; process gives a process by its id."""
    if event == "sys_enter":
        number, first = re.match(r"NR (-?\d+) \((\w+)", rest).groups()
        process(pid).calls.append(Call(at, names.get(int(number), number), int(first, 16)))
    elif event == "sys_exit":
        calls = process(pid).calls
        if calls and calls[-1].end is None:
            calls[-1].end = at
    elif event == "page_fault_user":
        process(pid).faults.append(at)
    elif event == "sched_waking":
        woken = int(re.search(r"pid=(\d+)", rest)[1])
        process(woken).wake(at, pid)
        process(pid).wakes.append((at, woken))
    elif event == "sched_switch":
        before, state, after = re.search(r"prev_pid=(\d+) .*prev_state=(\S+) ==> .*next_pid=(\d+)", rest).groups()
        process(before).switch_out(at, state.startswith("R"))
        process(after).switch_in(at)
    elif event == "sched_process_fork":
        parent, child = re.search(r"\bpid=(\d+) .*child_pid=(\d+)", rest).groups()
        process(child).parent, process(child).born = int(parent), at

"""What the integration tests share: how sandbox-run is called, and how what is left is counted.

The same tests run on every kind of host: as root with cgroup v1, as root with cgroup v2, in a unit
that systemd delegated a subtree to, and as an ordinary user. What a host can't do is skipped with
the reason. From the environment:

    SANDBOX_RUN          the program; default: build/sandbox-run of this checkout
    SANDBOX_ROOTFS       the root file system
    SANDBOX_POLICIES     the policies; default: the directory policies/ beside the program
    SANDBOX_TEST_CGROUP  passed as --cgroup
    SANDBOX_TEST_START   passed as --start
    SANDBOX_TEST_QUICK   fewer rounds of what repeats
    SANDBOX_TEST_SLOW    how many times slower than others this host is

The promises say nothing about how fast a host is, so no test does. tests/hang.py only ends a test
that would wait for ever.
"""

import contextlib
import ctypes
import dataclasses
import fcntl
import functools
import json as jsonlib
import os
import pathlib
import re
import shutil
import signal
import stat
import struct
import subprocess
import tempfile
import textwrap
import time

import pytest

CHECKOUT = pathlib.Path(__file__).resolve().parents[2]
QUICK = bool(os.environ.get("SANDBOX_TEST_QUICK"))
SLOW = int(os.environ.get("SANDBOX_TEST_SLOW") or 1)

BINARY = pathlib.Path(os.environ.get("SANDBOX_RUN") or CHECKOUT / "build/sandbox-run").absolute()
if "SANDBOX_POLICIES" not in os.environ and (BINARY.parent / "policies").is_dir():
    os.environ["SANDBOX_POLICIES"] = str(BINARY.parent / "policies")

PR_SET_CHILD_SUBREAPER = 36
libc = ctypes.CDLL(None, use_errno=True)
# Its own kernel answers calls of other architectures, and time in the kernel is hardly told from a program's own.
USER_MODE_LINUX = "User Mode Linux" in pathlib.Path("/proc/cpuinfo").read_text()


counts_processes = pytest.mark.skipif(
    os.environ.get("SANDBOX_TEST_START") == "warm",
    reason="counts all below sandbox-run: with a warm start there are a zygote and its next child")


def pytest_configure(config):
    if not BINARY.exists():
        raise pytest.UsageError(f"{BINARY} is not there: build it, or set SANDBOX_RUN")
    # Processes that outlive their sandbox-run become children of this one: they can be counted.
    libc.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


# ── Calling sandbox-run ──────────────────────────────────────────────────────────────────────────


@dataclasses.dataclass(frozen=True)
class Ran:
    """What one call of sandbox-run gave. `status` is negative when a signal ended it itself."""

    status: int
    out: bytes
    err: bytes
    meta: dict = None

    @property
    def stdout(self):
        return self.out.decode("utf-8", "surrogateescape")

    @property
    def stderr(self):
        return self.err.decode("utf-8", "surrogateescape")

    @functools.cached_property
    def verdict(self):
        """The verdict: of --meta where that was asked for, else of --json."""
        if self.meta is not None:
            return self.meta
        try:
            return jsonlib.loads(self.out.decode("utf-8"))
        except ValueError:
            raise AssertionError(f"no verdict in {self}") from None

    @property
    def value(self):
        """What the script printed, as JSON; a script that failed to is shown."""
        assert self.status == 0, self
        return jsonlib.loads(self.stdout)

    @property
    def sentences(self):
        """The lines on stderr that are sandbox-run's own."""
        return [line for line in self.stderr.splitlines() if line.startswith("sandbox-run: ")]


class Started:
    """A sandbox-run that is running. Its pipes are read as things happen, without sleeping."""

    def __init__(self, process, meta):
        self.process = process
        self.pid = process.pid
        self._meta = meta
        self._buffers = {"stdout": b"", "stderr": b""}

    def readline(self, stream="stdout"):
        """The next line of a stream, as soon as it is there; "" at the end."""
        pipe = getattr(self.process, stream)
        buffer = self._buffers[stream]
        while b"\n" not in buffer:
            part = os.read(pipe.fileno(), 65536)
            if not part:
                break
            buffer += part
        line, newline, self._buffers[stream] = buffer.partition(b"\n")
        return (line + newline).decode("utf-8", "surrogateescape")

    def expect(self, line, stream="stdout"):
        got = self.readline(stream)
        assert got == line + "\n", (got, self.finish() if not got else "")

    def write(self, data):
        self.process.stdin.write(data if isinstance(data, bytes) else data.encode())
        self.process.stdin.flush()

    def signal(self, number):
        os.kill(self.pid, number)

    def finish(self, stdin=b""):
        """Closes stdin, reads the rest and waits for the end."""
        out, err = self.process.communicate(stdin if self.process.stdin else None)
        out = self._buffers["stdout"] + (out or b"")
        err = self._buffers["stderr"] + (err or b"")
        meta = None
        if self._meta and self._meta.exists() and self._meta.stat().st_size:
            meta = jsonlib.loads(self._meta.read_text("utf-8"))
        return Ran(self.process.returncode, out, err, meta)


class Sandbox:
    """sandbox-run as these tests call it: run(…) to the end, run.start(…) to talk with it."""

    binary = str(BINARY)
    cgroup = os.environ.get("SANDBOX_TEST_CGROUP")
    start_kind = os.environ.get("SANDBOX_TEST_START")

    def __init__(self, directory):
        self._directory = directory
        self._count = 0
        self._started = []

    def new_path(self, suffix):
        self._count += 1
        return self._directory / f"{self._count}{suffix}"

    def command(self, *options, json=False, code=None, args=(), meta=None):
        """The argument vector. `code` is given with -c, its indentation taken off, and with time
        enough for the slowest host unless the test is about time, or a policy."""
        command = [self.binary]
        if self.cgroup and "--cgroup" not in options:
            command += ["--cgroup", self.cgroup]
        if self.start_kind and not {"--start", "--via"} & set(options):
            command += ["--start", self.start_kind]
        if json:
            command.append("--json")
        if meta:
            command += ["--meta", str(meta)]
        if code is not None and not {"--timeout", "--policy"} & set(options):
            command += ["--timeout", "600"]
        command += [str(option) for option in options]
        if code is not None:
            command += ["-c", textwrap.dedent(code).strip("\n")]
        return command + [str(arg) for arg in args]

    def start(self, *options, json=False, code=None, args=(), meta=False, prefix=(), stdin=None,
              stdout=None, stderr=None, env=None, **popen):
        meta = self.new_path(".meta") if meta else None
        command = [*prefix, *self.command(*options, json=json, code=code, args=args, meta=meta)]
        pipe = subprocess.PIPE
        process = subprocess.Popen(
            command, bufsize=0, stdin=pipe if stdin is None else stdin,
            stdout=pipe if stdout is None else stdout, stderr=pipe if stderr is None else stderr,
            env=None if env is None else {**os.environ, **env}, **popen)
        self._started.append(process)
        return Started(process, meta)

    def __call__(self, *options, stdin=b"", **keywords):
        """Runs it to its end. `stdin`: bytes, or what Popen takes."""
        if isinstance(stdin, str):
            stdin = stdin.encode()
        if isinstance(stdin, bytes):
            return self.start(*options, **keywords).finish(stdin)
        return self.start(*options, stdin=stdin, **keywords).finish()

    def script(self, code, name="script.py"):
        """Writes a script; returns its path."""
        path = self._directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(code if isinstance(code, bytes) else
                         textwrap.dedent(code).lstrip("\n").encode())
        return path

    def close(self):
        """Ends what a test left running; says whether there was anything."""
        running = [process for process in self._started if process.poll() is None]
        for process in running:
            process.kill()
        for process in self._started:
            process.wait()
            for pipe in (process.stdin, process.stdout, process.stderr):
                if pipe:
                    with contextlib.suppress(OSError):
                        pipe.close()
        return bool(running)


@pytest.fixture
def run(tmp_path):
    sandbox = Sandbox(tmp_path)
    yield sandbox
    sandbox.close()


# ── A kernel that lacks something ────────────────────────────────────────────────────────────────

CALLS = {  # x86-64, aarch64
    "seccomp": (317, 277), "clone3": (435, 435), "mount_setattr": (442, 442), "setns": (308, 268),
    "unshare": (272, 97), "pivot_root": (155, 41), "prctl": (157, 167), "pidfd_open": (434, 434),
    "close_range": (436, 436), "move_mount": (429, 429), "open_tree": (428, 428),
    "fsopen": (430, 430), "memfd_create": (319, 279), "get_robust_list": (274, 100),
    "landlock_create_ruleset": (444, 444),
}


def without(**calls):
    """A preexec_fn that takes system calls away: name → errno that they give from then on."""
    machine = 0 if os.uname().machine == "x86_64" else 1
    statements = [(0x20, 0, 0, 0)]  # the number of the call
    for name, number in calls.items():
        statements += [(0x15, 0, 1, CALLS[name][machine]), (0x06, 0, 0, 0x00050000 | number)]
    statements.append((0x06, 0, 0, 0x7FFF0000))  # anything else is allowed
    program = b"".join(struct.pack("HBBI", *statement) for statement in statements)
    buffer = ctypes.create_string_buffer(program)
    header = ctypes.create_string_buffer(
        struct.pack("HxxxxxxP", len(statements), ctypes.addressof(buffer)))

    def install():
        if libc.prctl(38, 1, 0, 0, 0) or libc.prctl(22, 2, header, 0, 0):
            os._exit(99)

    install.keep = (buffer, header)
    return install


# ── Policies ─────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture(scope="session")
def default_policy():
    """The default policy as --print-policy shows it: every key, with the value in force."""
    printed = subprocess.run([BINARY, "--print-policy"], capture_output=True, check=True)
    return jsonlib.loads(printed.stdout)


@pytest.fixture
def policy(tmp_path, default_policy):
    """policy(limits={…}, proc="masked", …) writes a policy file: the default one but for what is
    given, and with time enough for the slowest host. Limits that are given are allowed by its caps
    as well. Returns its path."""
    count = iter(range(1000))

    def write(limits=None, caps=None, drop=(), **keys):
        limits = {"wall_time_ms": 600000, **(limits or {})}
        value = jsonlib.loads(jsonlib.dumps(default_policy))
        value.pop("name", None)
        for key in drop:
            value.pop(key, None)
        for key, limit in limits.items():
            value["limits"][key] = limit
            value.setdefault("caps", {})
            value["caps"][key] = max(limit, value["caps"].get(key, limit))
        value.setdefault("caps", {}).update(caps or {})
        value.update(keys)
        path = tmp_path / f"policy-{next(count)}.json"
        path.write_text(jsonlib.dumps(value))
        return path

    return write


# ── The library ──────────────────────────────────────────────────────────────────────────────────

LIBRARY = BINARY.parent / "src" / "core"
SANITIZE = ["-fsanitize=address,undefined"] if os.environ.get("SANDBOX_TEST_SANITIZED") else []


@pytest.fixture(scope="session")
def compiled(tmp_path_factory):
    """compiled(source, option…) builds a C program as other people's are: with the header and the
    shared library, each once. Returns its path."""
    if shutil.which("cc") is None:
        pytest.skip("no C compiler here")
    programs = {}

    def compile_source(source, *options):
        if source not in programs:
            programs[source] = tmp_path_factory.mktemp("compiled") / "program"
            subprocess.run(["cc", "-std=gnu17", "-Wall", "-Wextra", "-Werror", *SANITIZE,
                            "-I", CHECKOUT / "include", "-o", programs[source], source,
                            "-L", LIBRARY, "-lsandbox", f"-Wl,-rpath,{LIBRARY}", *options], check=True)
        return programs[source]

    return compile_source


# ── The host ─────────────────────────────────────────────────────────────────────────────────────


@dataclasses.dataclass(frozen=True)
class Host:
    root: bool
    cgroup: str  # "v1" or "v2": what a first job said enforced it
    asked: str  # --cgroup of these tests, "auto" when none is passed

    def skip_unless_root(self, why):
        if not self.root:
            pytest.skip(f"needs root: {why}")


@pytest.fixture
def host(turn, tmp_path):
    return find_host(tmp_path)


def find_host(directory, known=[]):
    """What the first job of this worker said of the host."""
    if not known:
        ran = Sandbox(directory)("--json", code="pass")
        assert ran.status == 0, f"the simplest job fails on this host: {ran}"
        known.append(Host(os.geteuid() == 0, ran.verdict["enforcement"]["cgroup"],
                          os.environ.get("SANDBOX_TEST_CGROUP") or "auto"))
    return known[0]


@pytest.fixture
def open_rootfs(run):
    """The root file system at a path that every user can reach, as the second of a command's
    prefix and its path. Needs root where it lies in a directory that is closed to others."""
    source = rootfs_path()
    if reachable_by_all(source) and reachable_by_all(BINARY):
        yield [], str(source), str(BINARY)
        return
    if os.geteuid() != 0:
        pytest.skip("needs a root file system that every user can reach")
    directory = pathlib.Path(tempfile.mkdtemp(prefix="sandbox-run-test-"))
    directory.chmod(0o755)
    for name in ("rootfs", "bin"):
        (directory / name).mkdir()
    # Mounts of the prefix's own mount namespace: they go with the process.
    script = ('mount --make-rprivate / && mount --bind "$1" "$2/rootfs" && '
              'mount --bind "$3" "$2/bin" && shift 3 && exec "$@"')
    prefix = ["unshare", "--mount", "sh", "-c", script, "sh", str(source), str(directory),
              str(BINARY.parent)]
    yield prefix, str(directory / "rootfs"), str(directory / "bin" / BINARY.name)
    for name in ("rootfs", "bin"):
        (directory / name).rmdir()
    directory.rmdir()


def rootfs_path():
    if os.environ.get("SANDBOX_ROOTFS"):
        return pathlib.Path(os.environ["SANDBOX_ROOTFS"])
    return pathlib.Path("/var/lib/sandbox-run/rootfs")


def reachable_by_all(path):
    path = pathlib.Path(path).resolve()
    return all(stat.S_IMODE(part.stat().st_mode) & 0o005 == 0o005 for part in [path, *path.parents])


# ── What is left ─────────────────────────────────────────────────────────────────────────────────


def processes():
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
    return below(processes(), *(ancestors or [os.getpid()]))


def below(table, *ancestors):
    found, level = set(), set(ancestors)
    while level:
        level = {pid for pid, parent in table.items() if parent in level} - found
        found |= level
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


class Left:
    """What there was before a test, to compare with what there is after it."""

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


@pytest.fixture
def left(run, host):
    """left.check() says whether anything is left. For tests that are marked `alone`."""
    return Left(run, host)


def until(condition):
    """Waits for what has no event to wait for. The alarm of the test ends it."""
    pause = 0.002
    while not condition():
        time.sleep(pause)
        pause = min(1.2 * pause, 0.02)  # most conditions look at every process


# ── Around every test ────────────────────────────────────────────────────────────────────────────


@pytest.fixture(autouse=True)
def no_process_is_left(turn, run):
    """Whatever a test did: afterwards nothing of it runs, and nobody has to clean up after it."""
    yield
    if run.close():  # killed: its job dies with it, but is not waited for
        until(lambda: not living(descendants()))
        reap()
    left = living(descendants())  # what has ended is only waiting for us
    told = describe(left)
    for pid in left:
        with contextlib.suppress(OSError):
            os.kill(pid, signal.SIGKILL)
    reap()
    assert not told, f"processes were left: {told}"


def living(pids):
    """Those of some processes that are not dead already."""
    found = set()
    for pid in pids:
        with contextlib.suppress(OSError):
            text = pathlib.Path(f"/proc/{pid}/stat").read_text()
            if text.rpartition(")")[2].split()[0] not in "ZX":
                found.add(pid)
    return found


def reap():
    """Waits for all children, which are dead or dying."""
    with contextlib.suppress(ChildProcessError):
        while True:
            os.waitpid(-1, 0)

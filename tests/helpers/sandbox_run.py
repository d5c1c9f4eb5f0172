"""Calls of sandbox-run. The same tests run on every kind of host: as root with cgroup v1, as root with cgroup v2, in a
unit that systemd delegated a subtree to, and as an ordinary user. From the environment:

    SANDBOX_RUN          the program; default: build/sandbox-run of this checkout
    SANDBOX_ROOTFS       the root file system
    SANDBOX_POLICIES     the policies; default: the directory policies/ beside the program
    SANDBOX_TEST_CGROUP  passed as --cgroup
    SANDBOX_TEST_START   passed as --start
    SANDBOX_TEST_QUICK   fewer rounds of what repeats
    SANDBOX_TEST_SLOW    how many times slower than others this host is
"""

import contextlib
import dataclasses
import functools
import json as jsonlib
import os
import pathlib
import subprocess
import textwrap

import pytest

CHECKOUT = pathlib.Path(__file__).resolve().parents[2]
QUICK = bool(os.environ.get("SANDBOX_TEST_QUICK"))
SLOW = int(os.environ.get("SANDBOX_TEST_SLOW") or 1)

BINARY = pathlib.Path(os.environ.get("SANDBOX_RUN") or CHECKOUT / "build/sandbox-run").absolute()
if "SANDBOX_POLICIES" not in os.environ and (BINARY.parent / "policies").is_dir():
    os.environ["SANDBOX_POLICIES"] = str(BINARY.parent / "policies")
LIBRARY = BINARY.parent / "src" / "core"
SANITIZE = ["-fsanitize=address,undefined"] if os.environ.get("SANDBOX_TEST_SANITIZED") else []

counts_processes = pytest.mark.skipif(
    os.environ.get("SANDBOX_TEST_START") == "warm",
    reason="counts all below sandbox-run: with a warm start there are a zygote and its next child")


def rootfs_path():
    if os.environ.get("SANDBOX_ROOTFS"):
        return pathlib.Path(os.environ["SANDBOX_ROOTFS"])
    return pathlib.Path("/var/lib/sandbox-run/rootfs")


@dataclasses.dataclass(frozen=True)
class Ran:
    """The outcome of one call of sandbox-run. `status` is negative when a signal ended it itself."""

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
        """The value that the script printed as JSON. A script that failed is shown."""
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


def refused(ran, *words):
    """Exit status 125, nothing run, and one sentence with these words."""
    assert ran.status == 125, ran
    assert ran.stdout == ""
    assert len(ran.sentences) == 1, ran
    for word in words:
        assert str(word) in ran.stderr, (word, ran.stderr)

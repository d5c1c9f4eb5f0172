"""Runs every hostile script twice: in the sandbox, which must contain it, and without one, where
that harms nobody and it must succeed: an attack that works nowhere proves nothing. See README.md.

SANDBOX_RUN names the program, SANDBOX_TEST_CGROUP the cgroup back end to force (optional),
SANDBOX_TEST_OPTIONS more options for each run (optional), SANDBOX_TEST_SLOW how many times slower
than others this host is (optional)."""

import base64
import contextlib
import ctypes
import dataclasses
import json
import os
import pathlib
import re
import resource
import secrets
import select
import signal
import socket
import subprocess
import typing

import pytest

from kernel import OF_THE_ENTRY, USER_MODE_LINUX

HERE = pathlib.Path(__file__).parent
PYTHON = "/usr/bin/python3"
WORDS = {"ok", "exception", "exit", "signal", "timeout", "cpu_time", "memory", "output", "internal"}
# Of the suite's own doing: only here to be found where they should not be.
CANARY_TEXT = "the canary's own words\n"

libc = ctypes.CDLL(None, use_errno=True)

# ── Headers ──────────────────────────────────────────────────────────────────────────────────


@dataclasses.dataclass
class Attack:
    path: pathlib.Path
    attack: str = ""
    expect: str = ""
    limits: str = ""
    host: str = ""
    bare: str = ""

    @property
    def name(self):
        return self.path.stem


def read_header(path):
    attack = Attack(path)
    for line in path.read_text().splitlines():
        match = re.fullmatch(r"# (attack|expect|limits|host|bare): (.+)", line)
        if not match:
            break
        setattr(attack, match[1], match[2])
    return attack


ATTACKS = [
    read_header(path)
    for path in sorted(HERE.glob("*.py"))
    if path.read_text().startswith("# attack: ")
]
BARE = [attack for attack in ATTACKS if attack.bare in ("host", "namespaces")]


def each(attacks):
    return pytest.mark.parametrize("attack", attacks, ids=lambda attack: attack.name)


# ── Judging ──────────────────────────────────────────────────────────────────────────────────


def content(file):
    return file["text"].encode() if "text" in file else base64.b64decode(file["base64"])


def got_through(verdict):
    """Whether files or displays have come that must not: README.md says which."""
    return "BREACH" in json.dumps(verdict["display"]) or any(
        "BREACH" in path or content(file)[:9] not in (b"", b"CONTAINED") for path, file in verdict["files"].items())


def judge(attack, verdict):
    """CONTAINED, SKIPPED, BREACH or UNCLEAR, as `sandbox-run --selftest` judges it too."""
    word = verdict["verdict"]
    lines = verdict["stdout"].rstrip("\n").split("\n")
    said = lines[-1].split(":")[0]
    if any(line.startswith("BREACH:") for line in lines) or got_through(verdict):
        return "BREACH"
    if word == "ok" and said in ("CONTAINED", "SKIPPED") and said in attack.expect.split():
        return said
    if said == "ARMED" and word in attack.expect.split():
        return "CONTAINED"
    return "UNCLEAR"


# ── What stands on the host to be found ──────────────────────────────────────────────────────


@dataclasses.dataclass
class Result:
    exit_status: int
    _stdout: typing.BinaryIO
    _stderr: typing.BinaryIO
    usage: resource.struct_rusage

    @property
    def stdout(self):
        return self.read(self._stdout)

    @property
    def stderr(self):
        return self.read(self._stderr)

    @staticmethod
    def read(file):
        file.seek(0)
        return file.read().decode("utf-8", "replace")


class Host:
    """Canaries, and what has become of them. No name is used twice: tests may run side by side."""

    def __init__(self, directory):
        self.directory = directory
        self.token = secrets.token_hex(16)
        self.secret = f"host-only-secret-{secrets.token_hex(16)}"
        directory.chmod(0o755)
        self.file = directory / "canary"
        self.file.write_text(CANARY_TEXT)
        self.file.chmod(0o666)
        self.file_facts = self.facts()
        self.pid_file = directory / "canary.pid"
        self.work = directory / "cwd"
        self.work.mkdir()
        self.listeners = {
            "TCP": self.listen(socket.AF_INET, ("127.0.0.1", 0)),
            "UDP": self.listen(socket.AF_INET, ("127.0.0.1", 0), socket.SOCK_DGRAM),
            "ABSTRACT": self.listen(socket.AF_UNIX, f"\0attack-{self.token}"),
            "SOCKET": self.listen(socket.AF_UNIX, str(directory / "socket")),
        }
        (directory / "socket").chmod(0o666)
        self.shm_key = secrets.randbelow(1 << 30) + 1
        self.shm = libc.shmget(self.shm_key, 4096, 0o1666)
        self.environment = {
            "ATTACK_TOKEN": self.token,
            "ATTACK_FILE": str(self.file),
            "ATTACK_SOCKET": str(directory / "socket"),
            "ATTACK_TCP": str(self.listeners["TCP"].getsockname()[1]),
            "ATTACK_UDP": str(self.listeners["UDP"].getsockname()[1]),
            "ATTACK_ABSTRACT": f"attack-{self.token}",
            "ATTACK_SHM": str(self.shm_key),
        }

    @staticmethod
    def listen(family, address, kind=socket.SOCK_STREAM):
        listener = socket.socket(family, kind)
        listener.bind(address)
        if kind == socket.SOCK_STREAM:
            listener.listen()
        return listener

    def facts(self):
        """Of the canary file, what a supervisor that follows links would change."""
        facts = self.file.lstat()
        return facts.st_mode, facts.st_uid, facts.st_gid, facts.st_ino, facts.st_nlink

    def inherit(self):
        """Runs in the child before it becomes sandbox-run, or the undefended script."""
        # A session keyring with a key in it, which every process below inherits.
        numbers = {"x86_64": (250, 248), "aarch64": (219, 217)}[os.uname().machine]
        libc.syscall(numbers[0], 1, None)
        libc.syscall(numbers[1], b"user", b"attack-canary", b"secret", 6, -3)
        # Higher than it has to be, so that there is something to lower.
        pathlib.Path("/proc/self/oom_score_adj").write_text("100")

    def run(self, command, environment, terminal=None):
        """Runs a command with all that must not get into a sandbox: descriptors, a secret in the
        environment, a key, a terminal; and with a process of the same user and group beside it."""
        directory = os.open("/", os.O_RDONLY)
        canary = os.open(self.file, os.O_RDWR)
        script = (
            "(trap '' HUP; exec env -u ATTACK_TOKEN sleep 600) <&- >&- 2>&- & "
            'echo $! > "$1"; shift; '
            "export ATTACK_PID=$!; program=$1; shift; "
            '[ "$1" != --json ] || set -- --env "ATTACK_PID=$!" "$@"; exec "$program" "$@"'
        )

        def prepare():
            self.inherit()
            if terminal is not None:
                libc.ioctl(0, 0x540E, 0)  # TIOCSCTTY

        output = [open(self.directory / name, "w+b") for name in ("stdout", "stderr")]
        process = subprocess.Popen(
            ["sh", "-c", script, "sh", str(self.pid_file), *command],
            stdin=subprocess.DEVNULL if terminal is None else terminal,
            stdout=output[0],
            stderr=output[1],
            start_new_session=True,
            cwd=self.work,
            pass_fds=(directory, canary),
            preexec_fn=prepare,
            env={**os.environ, "HOST_SECRET": self.secret, **environment},
        )
        os.close(directory)
        os.close(canary)
        try:
            _, status, usage = os.wait4(process.pid, 0)
        except BaseException:
            process.kill()
            process.wait()
            raise
        process.returncode = os.waitstatus_to_exitcode(status)
        return Result(process.returncode, *output, usage)

    @property
    def canary_pid(self):
        return int(self.pid_file.read_text())

    def canary_state(self):
        """"S" and the like; "" when it is dead."""
        try:
            stat = pathlib.Path(f"/proc/{self.canary_pid}/stat").read_text()
        except OSError:
            return ""
        return stat.rsplit(")", 1)[1].split()[0]

    def leftovers(self):
        """Processes with the token in their environment; the canary has it until its first exec is done."""
        canary = self.canary_pid if self.pid_file.exists() else None
        found = {}
        for path in pathlib.Path("/proc").glob("[0-9]*/environ"):
            try:
                pid = int(path.parent.name)
                if pid != canary and f"ATTACK_TOKEN={self.token}".encode() in path.read_bytes():
                    found[pid] = (path.parent / "comm").read_text().strip()
            except OSError:
                continue
        return found

    def check(self, output):
        """Everything is as it was, and nothing has got out."""
        assert CANARY_TEXT.strip() not in output, "the canary file was read"
        assert self.secret not in output, "the environment of sandbox-run was read"
        assert self.file.read_text() == CANARY_TEXT, "the canary file was written"
        assert self.facts() == self.file_facts, "the canary file has another mode, owner or place"
        reached = select.select(self.listeners.values(), [], [], 0)[0]
        names = [name for name, listener in self.listeners.items() if listener in reached]
        assert not names, "these sockets of the host were reached"
        assert self.canary_state() in ("S", "R", "D"), "the canary process was killed or stopped"
        assert self.leftovers() == {}, "these processes are left"
        assert list(self.work.iterdir()) == [], "files are left in the working directory"

    def close(self):
        for listener in self.listeners.values():
            listener.close()
        libc.shmctl(self.shm, 0, None)
        for pid in self.leftovers():
            os.kill(pid, signal.SIGKILL)
        if self.canary_state():
            os.kill(self.canary_pid, signal.SIGKILL)
            with contextlib.suppress(ChildProcessError):  # where orphans come to us
                os.waitpid(self.canary_pid, 0)


@pytest.fixture
def host(tmp_path):
    for directory in (tmp_path, *tmp_path.parents):
        # Nothing but the sandbox may stand between the script and the canary.
        if directory.stat().st_uid == os.getuid() and str(directory).startswith("/tmp/"):
            directory.chmod(directory.stat().st_mode | 0o055)
    host = Host(tmp_path)
    yield host
    host.close()


@pytest.fixture
def terminal():
    controller, terminal = os.openpty()
    yield terminal
    os.close(controller)
    os.close(terminal)


# ── What some attacks leave to be looked at from outside ─────────────────────────────────────


def check_exit_status(status):
    def check(verdict, _usage):
        assert verdict["exit_code"] == status and verdict["signal"] is None

    return check


def check_signal(name):
    def check(verdict, _usage):
        assert verdict["signal"] == name and verdict["exit_code"] is None

    return check


def check_flood(verdict, _usage):
    for stream in ("stdout", "stderr"):
        missing = verdict["truncated"][stream]
        kept = len(verdict[stream].encode())
        assert kept <= 64 * 1024 + len(f"\n… {missing} bytes left out …\n".encode())
        assert missing >= 32 * (1 << 20) - kept - 4096
        assert verdict[stream].startswith("flood ")


def check_hostile_output(verdict, _usage):
    forged = '"}\n{"status":"success","verdict":"ok","output":"forged"}\n'
    assert verdict["stdout"].startswith(forged)
    assert verdict["truncated"]["stdout"] > 0 and verdict["truncated"]["stderr"] > 0
    assert verdict["result"] is None


def check_supervisor_memory(verdict, usage):
    # The script itself takes about 15 MiB; the supervisor must not multiply what it is sent.
    assert usage.ru_maxrss < 64 * 1024, f"{usage.ru_maxrss} KiB"


def check_own_result(verdict, _usage):
    assert verdict["result"] in (None, {"true": "result"}), "only its own result, or none"


def check_collected(verdict, usage):
    assert verdict["files"] and len(verdict["files"]) <= 100, "those that may come back are there"
    assert sum(file["size"] for file in verdict["files"].values()) <= 10 << 20
    assert usage.ru_maxrss < 128 * 1024, f"{usage.ru_maxrss} KiB"


def check_displays(count, left_out):
    def check(verdict, usage):
        assert len(verdict["display"]) == count and verdict["displays_left_out"] >= left_out
        check_supervisor_memory(verdict, usage)

    return check


CHECKS = {
    "collect_growing": check_collected,
    "collect_kinds": check_collected,
    "collect_links": check_collected,
    "collect_many": check_collected,
    "collect_sparse": check_collected,
    "crash_segfault": check_signal("SIGSEGV"),
    "display_endless": check_displays(50, 1),
    "display_forged": check_displays(1, 27),
    "display_huge": check_displays(1, 101),
    "forge_exception_name": check_exit_status(7),
    "forge_exec": check_exit_status(7),
    "forge_exit_124": check_exit_status(124),
    "forge_exit_137": check_exit_status(137),
    "forge_report": check_exit_status(7),
    "forge_runner": check_exit_status(1),
    "forge_sigkill": check_signal("SIGKILL"),
    "forge_sigxcpu": check_signal("SIGXCPU"),
    "output_flood": check_flood,
    "output_hostile": check_hostile_output,
    "process_brother": check_exit_status(7),
    "process_kill_group": check_signal("SIGKILL"),
    "result_broad": check_supervisor_memory,
    "result_garbage": check_own_result,
    "result_nested": check_supervisor_memory,
    "result_patched": check_own_result,
    "result_shadowed": check_own_result,
}


def options_of(attack):
    """Its limits as options. On a slow host it has more time to say that it is armed."""
    slow = int(os.environ.get("SANDBOX_TEST_SLOW") or 1)
    words = attack.limits.split()
    if slow > 1 and "--timeout" not in words:
        words += ["--timeout", "10"]
    for option in {"--timeout", "--cpu-time"} & set(words):
        value = words.index(option) + 1
        words[value] = str(slow * int(words[value]))
    return words


# As an ordinary user, cold, and as root in the service's warm pool.
IN_THE_VIRTUAL_MACHINE = pytest.mark.vm("delegated", "service")

# ── The tests ────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("attack", [
    pytest.param(attack, id=attack.name, marks=IN_THE_VIRTUAL_MACHINE) for attack in ATTACKS
])
def test_attack_is_contained(attack, host, terminal):
    program = os.environ.get("SANDBOX_RUN")
    assert program, "set SANDBOX_RUN to the sandbox-run to be tested"
    cgroup = os.environ.get("SANDBOX_TEST_CGROUP")
    if cgroup == "none" and attack.name.startswith(("memory_", "cpu_")):
        pytest.skip("without cgroups nothing limits memory and CPU")
    if USER_MODE_LINUX and attack.name in OF_THE_ENTRY:
        pytest.skip("user-mode Linux has no way into the kernel but its own")
    options = ["--json", "--files", str(HERE / "hostile.py"), *options_of(attack)]
    options += ["--cgroup", cgroup] if cgroup else []
    options += os.environ.get("SANDBOX_TEST_OPTIONS", "").split()
    for name, value in host.environment.items():
        options += ["--env", f"{name}={value}"]
    ran = host.run(
        [program, *options, str(attack.path)],
        {},
        terminal if "terminal" in attack.host.split() else None,
    )
    assert ran.stdout.count("\n") == 1, f"not one line: {ran.stdout[:300]} {ran.stderr[:1000]}"
    verdict = json.loads(ran.stdout)
    outcome = judge(attack, verdict)
    if outcome == "SKIPPED":
        pytest.skip(verdict["stdout"].rstrip("\n").split("\n")[-1])
    assert outcome == "CONTAINED", (
        f"expected {attack.expect}, verdict {verdict['verdict']} ({verdict.get('error')}), "
        f"stdout {verdict['stdout'][-1500:]}, stderr {verdict['stderr'][-1500:]}"
    )
    host.check(verdict["stdout"] + verdict["stderr"])
    if attack.name in CHECKS:
        CHECKS[attack.name](verdict, ran.usage)


NAMESPACES = "--user --map-root-user --mount --pid --net --ipc --uts --cgroup --fork --kill-child"


def wait_for_end(pid):
    try:
        select.select([os.pidfd_open(pid)], [], [])
    except ProcessLookupError:
        pass


def run_undefended(attack, host, terminal):
    """Its last line."""
    command = [PYTHON, str(attack.path)]
    if attack.bare == "namespaces":
        # For attacks on pid 1 and on the machine: a throw-away pid 1, and root of nothing.
        inner = ["sh", "-c", '"$@"; true', "sh", *command]
        command = ["unshare", *NAMESPACES.split(), "--mount-proc", *inner]
    environment = {**host.environment, "ATTACK_PATIENCE": "1.5"}
    ran = host.run(command, environment, terminal if "terminal" in attack.host.split() else None)
    for pid in host.leftovers():
        wait_for_end(pid)  # a daemon has its say when the main process is long gone
    return (ran.stdout.rstrip("\n").split("\n")[-1] + "\n" + ran.stderr[-500:]).strip()


@pytest.mark.skipif(os.getuid() != 0, reason="the attacks are those of root: less is refused to it")
@each(BARE)
def test_attack_succeeds_without_a_sandbox(attack, host, terminal):
    last = run_undefended(attack, host, terminal)
    assert last.startswith("BREACH: "), last


def test_kill_of_the_process_group_succeeds_without_a_sandbox(host):
    (attack,) = (attack for attack in ATTACKS if attack.name == "process_kill_group")
    run_undefended(attack, host, None)
    wait_for_end(host.canary_pid)
    assert host.canary_state() in ("", "Z")


@each(ATTACKS)
def test_header_says_what_is_tried_and_what_is_expected(attack):
    assert attack.attack and attack.expect
    assert set(attack.expect.split()) <= WORDS | {"CONTAINED", "SKIPPED"}
    assert re.match(r"host$|namespaces$|no, ", attack.bare)
    # The self-test's parser reads lines of this length.
    assert max(map(len, (attack.attack, attack.expect, attack.limits))) < 128


def test_readme_has_a_line_for_each_attack():
    _, _, text = (HERE / "README.md").read_text().partition("| script | tries to |")
    table = re.findall(r"^\| `(\w+)` \|", text.partition("\n\n")[0], re.MULTILINE)
    assert table == [attack.name for attack in ATTACKS]


def test_every_script_is_an_attack_or_shared():
    others = {path.name for path in HERE.glob("*.py")} - {attack.path.name for attack in ATTACKS}
    assert others == {"hostile.py", "test_attack.py"}

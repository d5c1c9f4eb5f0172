"""The installed service under systemd, on cgroup v2, as an ordinary user. Only in the virtual machine
(tests/vm/run --modes service), whose administrator these tests are: they stop, kill and configure the one service
there is, so each runs alone and leaves it running as it was installed."""

import contextlib
import functools
import json
import os
import pathlib
import pwd
import re
import shutil
import signal
import socket
import subprocess
import time

import pytest

from http_client import JSON, Connection, bearer
from processes import describe, living, process_table, status_of
from sandbox_run import CHECKOUT
from sandbox_serve import Elsewhere, Held
from waiting import until

pytestmark = [
    pytest.mark.vm("service"),
    pytest.mark.skipif(os.environ.get("SANDBOX_TEST_MODE") != "service",
                       reason="needs a systemd of its own: tests/vm/run --modes service"),
    pytest.mark.alone,
]

UNIT = "sandbox-serve.service"
SOCKET = "sandbox-serve.socket"
USER = "sandbox-serve"
CGROUP = pathlib.Path("/sys/fs/cgroup/system.slice") / UNIT
DROPIN = pathlib.Path("/run/systemd/system/sandbox-serve.service.d/test.conf")


def configuration():
    """Where the installed program looks for its configuration."""
    usage = subprocess.run(["sandbox-serve", "--help"], capture_output=True, text=True, check=True).stdout
    return pathlib.Path(re.search(r"--config FILE .*\[(.*)\]", usage)[1])


def systemctl(*words, check=True):
    return subprocess.run(["systemctl", "--no-pager", *words], capture_output=True, text=True, check=check)


def show(name, unit=UNIT):
    return systemctl("show", "--property", name, "--value", unit).stdout.strip()


def main_pid():
    return int(show("MainPID"))


@functools.cache
def uid():
    return pwd.getpwnam(USER).pw_uid


JOB_UIDS = range(0x70000000, 0x70000000 + 65536)  # of --uid-range


def uid_of(pid):
    return int(status_of(pid)["Uid"].split()[0])


def processes():
    """All processes of the service's user and of its jobs' users."""
    found = set()
    for pid in process_table():
        try:
            if os.stat(f"/proc/{pid}").st_uid == uid() or uid_of(pid) == uid() or uid_of(pid) in JOB_UIDS:
                found.add(pid)
        except OSError:
            pass
    return living(found)


def metric(service, name):
    """The sum over its labels."""
    return sum(int(value) for value in re.findall(rf"^{name}(?:{{.*}})? (\d+)$", service.get("/metrics").text, re.M))


def job_cgroups():
    """Those of jobs and of the interpreters that wait for one; a later one of the same name is another."""
    found = set()
    for path in CGROUP.glob("**/job-*") if CGROUP.exists() else ():
        with contextlib.suppress(OSError):
            found.add((path, path.stat().st_ino))
    return found


def journal(*fields, since):
    """Entries of the unit, as objects, from a monotonic time on."""
    ran = subprocess.run(["journalctl", "--no-pager", "--output=json", f"_SYSTEMD_UNIT={UNIT}", *fields],
                         capture_output=True, text=True, check=True)
    entries = [json.loads(line) for line in ran.stdout.splitlines()]
    return [entry for entry in entries if int(entry["__MONOTONIC_TIMESTAMP"]) >= since]


def now_us():
    return time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000


class Service(Elsewhere):
    """The service, as whoever looks after it sees it."""

    @property
    def pid(self):
        return main_pid()

    def configure(self, *lines):
        """Starts it with these lines in serve.conf instead of what was installed. Its jobs have the tests' policy."""
        configuration().write_text("".join(f"{line}\n" for line in ("offer-default = yes", *lines)))
        systemctl("restart", UNIT)

    def drop_in(self, *lines):
        DROPIN.parent.mkdir(parents=True, exist_ok=True)
        DROPIN.write_text("[Service]\n" + "".join(f"{line}\n" for line in lines))
        systemctl("daemon-reload")

    def start_long(self):
        """A job that runs, on a connection whose answer is still to come."""
        return self.hold().started()


@pytest.fixture
def service(turn):
    installed = configuration().read_bytes()
    systemctl("reset-failed")
    systemctl("start", UNIT)
    pid = main_pid()
    yield Service(os.environ["SANDBOX_SERVE_URL"])
    changed = DROPIN.exists() or configuration().read_bytes() != installed
    if not changed and main_pid() == pid and show("ActiveState", SOCKET) == "inactive":
        return  # as it was: a start takes seconds of an emulated processor
    systemctl("stop", SOCKET, UNIT, check=False)
    configuration().write_bytes(installed)
    shutil.rmtree(DROPIN.parent, ignore_errors=True)
    systemctl("daemon-reload")
    systemctl("reset-failed")
    systemctl("start", UNIT)


def nothing_is_left():
    """After a stop: no process, no cgroup, no file."""
    assert not processes(), describe(processes())
    assert not CGROUP.exists()
    assert not pathlib.Path("/run/sandbox-serve").exists()
    # Directories of PrivateTmp are removed by systemd itself.
    assert not [path for path in pathlib.Path("/tmp").iterdir() if UNIT in path.name]


# ── As whom ──────────────────────────────────────────────────────────────────────────────────────


def test_it_runs_as_a_user_without_any_privilege(service):
    pid = main_pid()
    assert set(status_of(pid)["Uid"].split()) == {str(uid())} and uid() != 0
    for name in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"):
        assert int(status_of(pid)[name], 16) == 0, name
    assert status_of(pid)["NoNewPrivs"] == "1" and status_of(pid)["Seccomp"] == "2"


def test_a_job_that_takes_all_epoll_watches_stops_nobody_else(service):
    watches = pathlib.Path("/proc/sys/fs/epoll/max_user_watches")
    before = watches.read_text()
    watches.write_text("12000")
    take = """if True:
        import os, select
        targets = [os.eventfd(0) for _ in range(120)]
        pollers = [select.epoll() for _ in range(120)]
        try:
            for poller in pollers:
                for target in targets:
                    poller.register(target, select.EPOLLIN)
        except OSError:
            pass
        else:
            raise SystemExit("some are left")
        """
    try:
        held = Held(service, None, {}, {}, f"exec({take!r})\n").started()
        assert service.get("/health").status == 200
        assert service.run("print('ran')")["output"] == "ran"
        held.release()
    finally:
        watches.write_text(before)


def test_a_job_is_held_by_cgroup_v2_and_all_that_its_policy_asks(service):
    answer = service.run("print('ran')")
    assert answer["enforcement"] | {"start": None} == {"cgroup": "v2", "start": None, "missing": []}
    assert answer["usage"]["memory_peak_bytes"] > 0
    held = service.hold().started()
    pid = held.pid()
    assert len(set(status_of(pid)["Uid"].split())) == 1 and uid_of(pid) in JOB_UIDS
    path = pathlib.Path("/proc", str(pid), "cgroup").read_text().strip().removeprefix("0::")
    assert path.startswith(f"/system.slice/{UNIT}/job-"), path
    assert (pathlib.Path("/sys/fs/cgroup" + path) / "memory.max").read_text() == "134217728\n"
    held.release()
    until(lambda: path not in {f"/{found.relative_to('/sys/fs/cgroup')}" for found, _ in job_cgroups()})


def test_a_verdict_names_refused_calls_under_the_unit_as_elsewhere(service):
    answer = service.run("""
import ctypes, socket
libc = ctypes.CDLL(None, use_errno=True)
print(libc.mount(b"none", b"/tmp", b"tmpfs", 0, None), ctypes.get_errno())
print(libc.unshare(0x10000000), ctypes.get_errno())
print(libc.ptrace(0, 0, 0, 0), ctypes.get_errno())
for family in (socket.AF_NETLINK, socket.AF_VSOCK, socket.AF_PACKET):
    try:
        socket.socket(family, socket.SOCK_DGRAM)
    except OSError as error:
        print(error.errno)
""")
    assert answer["output"] == "-1 1\n-1 1\n-1 1\n97\n97\n97"
    assert answer["denied"] == [{"call": call, "count": 1} for call in (
        "mount", "unshare(CLONE_NEWUSER)", "ptrace(PTRACE_TRACEME)", "socket(AF_NETLINK)", "socket(AF_VSOCK)",
        "socket(AF_PACKET)")]


def test_large_files_go_in_and_files_come_back_under_the_unit(service):
    """A large body arrives in a file of the unit's own /tmp; files are read in the namespaces of a job that is dead."""
    text = "x" * (4 << 20)
    answer = service.run("import os\nopen('size', 'w').write(str(os.path.getsize('large')))\n"
                         "open('mode0', 'w').write('kept')\nos.chmod('mode0', 0)",
                         files={"large": text}, collect=True, policy="run_code")
    assert (answer["status"], answer["enforcement"]["start"]) == ("success", "warm"), answer
    assert answer["files_left_out"] == []
    assert {name: file["text"] for name, file in answer["files"].items()} == {"size": str(len(text)), "mode0": "kept"}


def test_the_service_sees_the_file_system_read_only_and_no_home(service):
    inside = ["nsenter", "--target", str(main_pid()), "--mount", "--"]
    for path in ("/usr/local/x", "/etc/x", "/var/lib/sandbox-run/x", "/opt/x"):
        ran = subprocess.run([*inside, "touch", path], capture_output=True, text=True, check=False)
        assert "Read-only file system" in ran.stderr, (path, ran)
    assert not subprocess.run([*inside, "ls", "/home"], capture_output=True, text=True, check=True).stdout


def test_systemd_knows_every_line_of_the_units(service):
    ran = subprocess.run(["systemd-analyze", "verify", "--man=no", UNIT, SOCKET], capture_output=True, text=True,
                         check=False)
    assert ran.returncode == 0 and UNIT not in ran.stderr and SOCKET not in ran.stderr, ran


def test_the_readme_says_how_exposed_the_service_is(service):
    ran = subprocess.run(["systemd-analyze", "security", "--no-pager", UNIT], capture_output=True, text=True,
                         check=True)
    score = re.search(r"Overall exposure level for sandbox-serve.service: (\S+ \w+)", ran.stdout)[1]
    assert f"`systemd-analyze security sandbox-serve`: {score}" in (CHECKOUT / "README.md").read_text()


# ── Limits ───────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("code,seconds,verdict", [
    ("x = 'a' * 1000000000", 600, "memory"),
    ("import os\nwhile True:\n    try: os.fork()\n    except OSError: pass", 5, "timeout"),
], ids=["memory", "processes"])
def test_a_job_that_runs_into_a_limit_ends_alone(service, code, seconds, verdict):
    """systemd itself would end a service in which the kernel's out-of-memory killer was at work."""
    pid, held = main_pid(), service.hold().started()
    answer = service.run(code, policy="default", timeout=seconds)
    assert answer["verdict"] == verdict, answer
    held.release()
    assert (main_pid(), show("NRestarts"), show("ActiveState")) == (pid, "0", "active")
    # The service, its zygotes, and two processes for each child that waits for a job.
    until(lambda: len(processes()) == 1 + metric(service, "sandbox_warm_zygotes")
          + 2 * metric(service, "sandbox_warm_parked"))


def test_the_memory_that_is_promised_is_the_units(service):
    service.drop_in("MemoryMax=1200M")
    systemctl("restart", UNIT)
    assert metric(service, "sandbox_memory_promised_max_bytes") == (1200 - 256) * 1024 * 1024


# ── Reload ───────────────────────────────────────────────────────────────────────────────────────


def test_reload_reads_policies_and_lets_jobs_run_on(service, tmp_path):
    policies = pathlib.Path("/run/sandbox-policies")
    shutil.copytree(service_policies(), policies)
    try:
        service.configure(f"policies = {policies}")
        pid, held = main_pid(), service.hold().started()
        (policies / "mine.json").write_text('{"description": "mine", "limits": {"pids": 3}}')
        systemctl("reload", UNIT)
        until(lambda: "mine" in [policy["name"] for policy in service.get("/policies").json["policies"]])
        since = now_us()
        (policies / "mine.json").write_text("nonsense")
        systemctl("reload", UNIT)
        until(lambda: [each for each in journal(since=since) if "mine.json" in each["MESSAGE"]])
        assert service.run("print(1)", policy="mine")["verdict"] == "ok"
        held.release()
        assert main_pid() == pid
    finally:
        shutil.rmtree(policies)


def service_policies():
    said = [line for line in configuration().read_text().splitlines() if line.startswith("#policies = ")]
    return said[0].removeprefix("#policies = ")


def add_token(name, file):
    """The token. As the README has it: nothing else is done to the file."""
    ran = subprocess.run(["sandbox-serve", "token", "add", name, "--tokens", file], capture_output=True, text=True,
                         check=False)
    assert ran.returncode == 0, ran
    return ran.stdout.strip()


@pytest.fixture
def place():
    """/etc/sandbox-run, without what a test puts there."""
    directory = pathlib.Path("/etc/sandbox-run")
    before = set(directory.iterdir())
    yield directory
    for path in set(directory.iterdir()) - before:
        path.unlink()


def refused(service, *lines):
    """The error with which it does not start with these lines in serve.conf."""
    since = now_us()
    with pytest.raises(subprocess.CalledProcessError):
        service.configure(*lines)
    systemctl("stop", UNIT)
    systemctl("reset-failed")  # it was tried again and again
    said = []

    def is_said():
        said[:] = [entry["MESSAGE"] for entry in journal(since=since)
                   if "may not" in entry["MESSAGE"] or "is not there" in entry["MESSAGE"]]
        return said
    until(is_said)
    return said[0]


def test_tokens_that_root_adds_are_the_services_to_read(service, place):
    file = place / "tokens"
    alice = add_token("alice", file)
    service.configure(f"tokens = {file}")
    assert service.post("/run", {"code": "print(1)"}).status == 401
    assert service.run("print(1)", headers=bearer(alice))["output"] == "1"
    bob = add_token("bob", file)
    systemctl("reload", UNIT)
    until(lambda: service.get("/policies", headers=bearer(bob)).status == 200)


def test_a_file_that_the_service_may_not_read_is_told_from_one_that_is_not_there(service, place):
    file = place / "tokens"
    assert f"{file} is not there: sandbox-serve token add" in refused(service, f"tokens = {file}")
    token = add_token("alice", file)
    shutil.chown(file, "root", "root")
    remedy = f"chgrp {USER} {file} && chmod 640 {file}"
    assert f"user {USER} may not read the file of tokens: {remedy}" in refused(service, f"tokens = {file}")
    file.chmod(0o600)
    subprocess.run(remedy, shell=True, check=True)
    service.configure(f"tokens = {file}")
    assert service.run("print(1)", headers=bearer(token))["output"] == "1"
    assert "as it has no access to /root: put it" in refused(service, "tokens = /root/tokens")


def test_the_key_of_its_certificate_is_for_the_services_group(service, place):
    """And one that is exchanged is in force after a reload."""
    certificate, key = place / "cert.pem", place / "key.pem"

    def make(name):
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
                        "-subj", f"/CN={name}", "-addext", "subjectAltName=DNS:localhost", "-keyout", key, "-out",
                        certificate], check=True, capture_output=True)

    def name():
        shown = subprocess.run(["curl", "-svk", "https://127.0.0.1:8443/health"], capture_output=True, text=True, check=False)
        assert "healthy" in shown.stdout, shown
        return re.search(r"subject: CN=(\w+)", shown.stderr)[1]

    make("first")
    key.chmod(0o600)
    lines = (f"tls-cert = {certificate}", f"tls-key = {key}", "listen = 127.0.0.1:8443")
    remedy = f"chgrp {USER} {key} && chmod 640 {key}"
    assert f"user {USER} may not read the key of --tls-key: {remedy}" in refused(service, *lines)
    subprocess.run(remedy, shell=True, check=True)
    service.configure(*lines)
    assert name() == "first"
    make("second")
    systemctl("reload", UNIT)
    until(lambda: name() == "second")


# ── Stop, restart, crash ─────────────────────────────────────────────────────────────────────────


def test_stopping_ends_what_runs_with_a_verdict_and_leaves_nothing(service):
    service.configure("grace = 500ms")
    asked = [service.start_long().connection for _ in range(2)]
    began = time.monotonic()
    systemctl("stop", UNIT)
    took = time.monotonic() - began
    for connection in asked:
        answer = connection.answer()
        assert answer.status == 503 and answer.json["error"], answer
    assert (show("Result"), show("ExecMainStatus")) == ("success", "0")
    assert took < 15, "TimeoutStopSec is for emergencies"
    nothing_is_left()


def test_stopping_when_nothing_runs_does_not_wait_for_the_grace(service):
    assert service.run("print(1)")["verdict"] == "ok"
    began = time.monotonic()
    systemctl("stop", UNIT)
    assert time.monotonic() - began < 10
    assert show("Result") == "success"
    nothing_is_left()


def test_stopping_may_take_the_linger_and_the_grace_whatever_the_units_own_bound(service):
    service.drop_in("TimeoutStopSec=1s")
    service.configure("linger = 3s", "grace = 10m")
    held, since = service.start_long(), now_us()
    systemctl("stop", "--no-block", UNIT)
    until(lambda: any("stopping: no new requests" in entry["MESSAGE"] for entry in journal(since=since)))
    assert held.release().json["output"] == "let go"
    until(lambda: show("ActiveState") == "inactive")
    assert (show("Result"), show("ExecMainStatus")) == ("success", "0")
    nothing_is_left()


def test_a_restart_leaves_nothing_of_what_ran(service):
    service.configure("grace = 0")
    held, old, cgroups = service.start_long(), processes(), job_cgroups()
    systemctl("restart", UNIT)
    assert held.connection.answer().status == 503
    assert not old & processes() and not cgroups & job_cgroups()
    assert service.run("print('again')")["output"] == "again"


@pytest.mark.parametrize("workers", [1, 2])
def test_a_crash_leaves_nothing_and_the_service_comes_back(service, workers):
    service.configure(f"workers = {workers}")
    jobs, old, cgroups = [service.start_long() for _ in range(2)], processes(), job_cgroups()
    os.kill(main_pid(), signal.SIGKILL)
    for held in jobs:
        assert held.connection.answer() is None
    until(lambda: show("NRestarts") == "1" and show("ActiveState") == "active")
    assert not old & processes(), describe(old & processes())
    assert not cgroups & job_cgroups()
    assert service.run("print('again')")["output"] == "again"


def test_a_worker_that_crashes_is_replaced_and_its_jobs_are_gone(service):
    service.configure("workers = 2")
    held, cgroups = service.start_long(), job_cgroups()
    pid, of_job = main_pid(), held.pids()
    workers = [each for each, parent in process_table().items() if parent == pid]
    for worker in workers:
        os.kill(worker, signal.SIGKILL)
    until(lambda: not living(of_job))
    assert held.connection.answer() is None
    until(lambda: service.get("/health").status == 200 if can_connect() else False)
    assert service.run("print('again')")["output"] == "again"
    until(lambda: not cgroups & job_cgroups())
    assert main_pid() == pid and show("NRestarts") == "0"


def can_connect():
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", 8000)) == 0


def test_a_service_that_hangs_is_killed_by_the_watchdog(service):
    # With less, it also strikes where the emulated machine is slow: before the job has begun, say.
    service.drop_in("WatchdogSec=10s", "TimeoutAbortSec=1s")
    systemctl("restart", UNIT)
    held = service.start_long()
    pid, old, cgroups = main_pid(), processes(), job_cgroups()
    os.kill(pid, signal.SIGSTOP)
    until(lambda: show("NRestarts") == "1" and show("ActiveState") == "active")
    assert main_pid() != pid and not old & processes() and not cgroups & job_cgroups()
    assert held.connection.answer() is None
    until(can_connect)
    assert service.run("print('again')")["output"] == "again"


def test_a_wrong_configuration_is_told_and_not_tried_again(service):
    since = now_us()
    configuration().write_text("# mine\n\njbos = 4\n")
    assert systemctl("restart", UNIT, check=False).returncode != 0
    assert (show("ActiveState"), show("NRestarts"), show("ExecMainStatus")) == ("failed", "0", "2")
    assert any(f"{configuration()}:3" in entry["MESSAGE"] and "jbos" in entry["MESSAGE"]
               for entry in journal(since=since))
    nothing_is_left()


# ── Socket activation, UNIX socket ───────────────────────────────────────────────────────────────


def test_the_first_request_starts_the_service_when_systemd_listens(service):
    systemctl("stop", UNIT)
    systemctl("start", SOCKET)
    for _ in range(2):
        assert show("ActiveState") == "inactive"
        assert service.run("print('activated')")["output"] == "activated"
        assert show("ActiveState") == "active"
        systemctl("stop", UNIT)
    # Nothing that came meanwhile was turned away.
    connection = socket.socket(socket.AF_UNIX)
    connection.connect("/run/sandbox-serve.sock")
    with Connection(connection) as asking:
        answer = asking.ask("POST", "/run", {"code": "print('by path')"}, {"Content-Type": JSON}).answer()
    assert answer.json["output"] == "by path"


def test_only_its_group_may_use_the_socket(service):
    systemctl("stop", UNIT)
    systemctl("start", SOCKET)
    ask = ["curl", "-sS", "--unix-socket", "/run/sandbox-serve.sock", "http://localhost/health"]
    refused = subprocess.run(["setpriv", "--reuid=tester", "--regid=tester", "--clear-groups", *ask],
                             capture_output=True, text=True, check=False)
    assert refused.returncode != 0 and not refused.stdout
    let_in = subprocess.run(["setpriv", "--reuid=tester", "--regid=tester", f"--groups={USER}", *ask],
                            capture_output=True, text=True, check=True)
    assert json.loads(let_in.stdout) == {"status": "healthy"}


def test_a_socket_in_the_runtime_directory(service):
    service.configure("listen = unix:/run/sandbox-serve/socket", "socket-mode = 0666")
    ran = subprocess.run(["setpriv", "--reuid=tester", "--regid=tester", "--clear-groups", "curl", "-sS",
                          "--unix-socket", "/run/sandbox-serve/socket", "http://localhost/health"],
                         capture_output=True, text=True, check=True)
    assert json.loads(ran.stdout) == {"status": "healthy"}
    systemctl("stop", UNIT)
    nothing_is_left()


# ── The journal ──────────────────────────────────────────────────────────────────────────────────


def test_a_job_is_an_entry_of_the_journal_with_fields(service):
    since = now_us()
    answer = service.run("1/0", headers={"X-Request-Id": "asked-by-a-test"})
    assert answer["verdict"] == "exception"
    until(lambda: journal("SANDBOX_ID=asked-by-a-test", since=since))
    entry = journal("SANDBOX_ID=asked-by-a-test", since=since)[0]
    assert entry["SANDBOX_VERDICT"] == "exception" and len(entry["SANDBOX_CODE_SHA256"]) == 64
    assert "1/0" not in json.dumps(entry)

"""Evidence: which refused calls a verdict names, and that nothing else changes by it."""

import ctypes
import errno
import fcntl
import json
import os
import struct

import pytest

from kernel import libc
from sandbox_run import CHECKOUT

pytestmark = pytest.mark.vm("delegated")

PROFILES = CHECKOUT / "policies" / "seccomp"
LISTED = 32

libseccomp = ctypes.CDLL("libseccomp.so.2")


def number(name):
    """Of a call as profiles name it; negative where this machine has none."""
    name, _, given = name.partition("=")
    return int(given or libseccomp.seccomp_syscall_resolve_name(name.encode()))


# ── The marked calls of a profile, as its own data has them ──────────────────────────────────────


def value_of(text):
    return int(str(text), 0)


def values_of(values):
    return [value_of(value) for value in values.values()] if isinstance(values, dict) else [value_of(values)]


def holds(condition, args):
    mask = 0
    for bits in values_of(condition.get("mask", 0xffffffff)):
        mask |= bits
    shift = 32 if "half" in condition else 0
    return args[condition["arg"]] >> shift & 0xffffffff & mask in values_of(condition["equals"])


def group_of(groups, name, args):
    """The first that names the call and whose conditions hold."""
    for group in groups:
        if any(name == call.partition("=")[0] for call in group["calls"]) and \
                all(holds(condition, args) for condition in group.get("when", ())):
            return group
    return None


def told(group, name, args):
    report = group["report"]
    if report is True:
        return name
    value = args[report["arg"]]
    if "flags" in report:
        set_flags = [flag for flag, bits in report["flags"].items() if value & value_of(bits)]
        return f"{name}({'|'.join(set_flags)})" if set_flags else name
    known = {value_of(bits): word for word, bits in report["names"].items()}
    return f"{name}({known.get(value, value)})"


def marked(profile):
    """(call, its number, arguments, errno, what a verdict says): each marked call of this machine, with each
    argument that has a name."""
    groups = json.loads((PROFILES / f"{profile}.json").read_text())["groups"]
    for group in groups:
        report = group.get("report")
        for call in group["calls"] if report else ():
            name, tried = call.partition("=")[0], 0
            for spoken in [0] if report is True else values_of(report.get("names") or report["flags"]):
                args = [0] * 6
                for condition in group.get("when", ()):
                    args[condition["arg"]] = values_of(condition["equals"])[0]
                if report is not True:
                    args[report["arg"]] = spoken
                if number(call) >= 0 and group_of(groups, name, args) is group:
                    tried += 1
                    yield name, number(call), args, getattr(errno, group["action"]), told(group, name, args)
            assert tried or number(call) < 0, f"{profile} marks {call}, and never comes there"


CALLER = """
    import ctypes, json, sys
    libc = ctypes.CDLL(None, use_errno=True)
    def call(number, *args):
        ctypes.set_errno(0)
        if libc.syscall(ctypes.c_long(number), *map(ctypes.c_long, args)) != -1:
            sys.exit(f"call {number} {args} succeeded")
        return ctypes.get_errno()
    """


def call_all(run, policy, rows, **keys):
    """The answer to each row's call, and the verdict."""
    code = CALLER + f"""
    print(json.dumps([call(*row) for row in json.load(sys.stdin)]))
    """
    rows = json.dumps([[row[1], *row[2]] for row in rows])
    ran = run("--policy", policy(**keys), code=code, stdin=rows, json=True)
    assert ran.verdict["verdict"] == "ok", ran.verdict
    return json.loads(ran.verdict["stdout"]), ran.verdict


@pytest.mark.parametrize("profile", ["default", "strict"])
def test_every_marked_call_is_answered_alike_with_and_without_report_denied(run, policy, profile):
    rows = list(marked(profile))
    assert len(rows) > 50
    on, _ = call_all(run, policy, rows, seccomp=profile, report_denied=True)
    off, verdict = call_all(run, policy, rows, seccomp=profile, report_denied=False)
    assert on == off == [row[3] for row in rows]
    assert "denied" not in verdict


@pytest.mark.parametrize("profile", ["default", "strict"])
def test_every_marked_call_is_named_and_counted(run, policy, profile):
    rows = list(marked(profile))
    for start in range(0, len(rows), LISTED):
        part = rows[start:start + LISTED]
        _, verdict = call_all(run, policy, part + part, seccomp=profile, report_denied=True)
        names = [row[4] for row in part]
        assert verdict["denied"] == [{"call": name, "count": 2 * names.count(name)} for name in dict.fromkeys(names)]


def test_names_of_calls_are_told_apart_by_what_decided(run):
    ran = run(code=CALLER + """
    import socket
    for family in (socket.AF_NETLINK, 46, socket.AF_NETLINK):
        try: socket.socket(family, socket.SOCK_RAW)
        except OSError: pass
    CLONE_NEWUSER, CLONE_NEWNS = 0x10000000, 0x20000
    machine = __import__("os").uname().machine == "x86_64"
    call(272 if machine else 97, CLONE_NEWUSER | CLONE_NEWNS)
    """, json=True)
    assert ran.verdict["denied"] == [{"call": "socket(AF_NETLINK)", "count": 2}, {"call": "socket(46)", "count": 1},
                                     {"call": "unshare(CLONE_NEWNS|CLONE_NEWUSER)", "count": 1}]


def test_beyond_32_names_the_rest_are_counted_together(run):
    ran = run(code="""
    import socket
    for family in range(100, 150):
        for _ in range(2):
            try: socket.socket(family, socket.SOCK_RAW)
            except OSError: pass
    """, json=True)
    denied = ran.verdict["denied"]
    assert [entry["call"] for entry in denied] == [f"socket({family})" for family in range(100, 132)] + ["others"]
    assert {entry["count"] for entry in denied[:-1]} == {2} and denied[-1]["count"] == 36


def test_the_keys_default_is_off_and_the_default_policys_is_on(run, policy, default_policy):
    assert default_policy["report_denied"] is True
    code = """
    import socket
    try: socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
    except OSError as error: print(error.errno)
    """
    assert "denied" not in run("--policy", policy(drop=["report_denied"]), code=code, json=True).verdict
    ran = run(code=code)
    assert (ran.status, ran.stdout, ran.stderr) == (0, f"{errno.EAFNOSUPPORT}\n", "")


HONEST = {
    "subprocess": """
        import subprocess, sys
        print(subprocess.run([sys.executable, "-c", "print(1)"], capture_output=True))
        """,
    "multiprocessing": """
        import multiprocessing
        if __name__ == "__main__":
            for method in ("fork", "spawn", "forkserver"):
                with multiprocessing.get_context(method).Pool(2) as pool:
                    assert pool.map(abs, range(-9, 0)) == list(range(9, 0, -1))
        """,
    "asyncio": """
        import asyncio, sys
        async def main():
            server = await asyncio.start_server(lambda r, w: w.close(), "127.0.0.1", 0)
            process = await asyncio.create_subprocess_exec(sys.executable, "-c", "1")
            await asyncio.gather(process.wait(), asyncio.sleep(0.01), asyncio.to_thread(print, 1))
            server.close()
        asyncio.run(main())
        """,
    "files": """
        import mmap, os, pathlib, shutil, sqlite3, tempfile
        with tempfile.TemporaryDirectory() as name:
            path = pathlib.Path(name)
            path.joinpath("a").write_text("x" * 9999)
            shutil.copytree(path, path / "b"); os.mkfifo(path / "c"); os.sync(); os.statvfs(path)
            sqlite3.connect(path / "d").execute("create table t (x)")
            with open(path / "a", "r+b") as file: mmap.mmap(file.fileno(), 0).flush(); os.fsync(file.fileno())
            list(os.scandir(path))
        """,
    "sockets": """
        import select, socket, ssl
        a, b = socket.socketpair()
        a.sendall(b"x")
        b.recv(1)
        for family, kind in ((socket.AF_INET, socket.SOCK_STREAM), (socket.AF_INET6, socket.SOCK_DGRAM)):
            with socket.socket(family, kind) as each:
                each.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                each.bind(("", 0))
        ssl.create_default_context()
        select.epoll()
        """,
    "system": """
        import faulthandler, locale, os, platform, pwd, resource, signal, time, uuid
        platform.platform(); uuid.uuid1(); os.nice(1); os.cpu_count(); time.sleep(0.001)
        faulthandler.enable(); resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64)); os.sched_getaffinity(0)
        signal.setitimer(signal.ITIMER_REAL, 10); pwd.getpwuid(os.getuid()); locale.setlocale(locale.LC_ALL, "")
        """,
}


@pytest.mark.parametrize("what", HONEST)
def test_honest_scripts_are_not_evidence(run, policy, what):
    ran = run("--policy", policy(loopback=True, report_denied=True), code=HONEST[what], json=True)
    assert ran.verdict["verdict"] == "ok" and "denied" not in ran.verdict, ran.verdict


# ── What the script sees of it ───────────────────────────────────────────────────────────────────


def test_the_listener_is_in_no_process_of_the_script(run, policy):
    code = """
    import os, subprocess, sys
    print(sorted(os.listdir("/proc/self/fd")), flush=True)
    print(*sorted(os.readlink(f"/proc/self/fd/{fd}").split(":")[0] for fd in range(4)), flush=True)
    subprocess.run([sys.executable, "-c", "import os; print(sorted(os.listdir('/proc/self/fd')))"], close_fds=False)
    """
    on, off = (run("--policy", policy(report_denied=on), code=code) for on in (True, False))
    assert on.status == 0 and on.stdout == off.stdout


def test_a_handler_of_a_signal_changes_no_answer(run):
    """But for EINTR, where a signal comes before the supervisor has looked: as of a call that waits."""
    ran = run(code=CALLER + """
    import collections, signal
    count = 0
    def handler(*_):
        global count
        count += 1
    signal.signal(signal.SIGALRM, handler)
    signal.setitimer(signal.ITIMER_REAL, 0.0005, 0.0005)
    answers = collections.Counter(call(%d) for _ in range(250))
    signal.setitimer(signal.ITIMER_REAL, 0)
    print(json.dumps([count, answers]))
    """ % number("mount"), json=True)
    count, answers = json.loads(ran.verdict["stdout"])
    assert count > 0 and set(answers) <= {str(errno.EPERM), str(errno.EINTR)}
    assert ran.verdict["denied"][0]["count"] >= answers[str(errno.EPERM)]


def test_threads_and_processes_are_counted_together(run):
    ran = run(code=CALLER + """
    import os, threading
    def some():
        for _ in range(5): call(%d, 0)
    for _ in range(4):
        if os.fork() == 0:
            threads = [threading.Thread(target=some) for _ in range(4)]
            for each in threads: each.start()
            for each in threads: each.join()
            os._exit(0)
    for _ in range(4): os.wait()
    """ % number("ptrace"), json=True)
    assert ran.verdict["denied"] == [{"call": "ptrace(PTRACE_TRACEME)", "count": 80}]


# ── A flood ──────────────────────────────────────────────────────────────────────────────────────


def test_a_flood_is_answered_seldom_and_ends_with_its_time(run):
    """Each answer takes the supervisor some microseconds: more than a thousand a second there are not."""
    ran = run("--timeout", "2", code=CALLER + """
    import threading
    def flood():
        while True: call(%d)
    for _ in range(20): threading.Thread(target=flood).start()
    """ % number("mount"), json=True)
    assert ran.verdict["verdict"] == "timeout"
    (entry,) = ran.verdict["denied"]
    assert entry["call"] == "mount"
    assert 256 < entry["count"] <= 256 + 1 + ran.verdict["usage"]["wall_time_ms"] * 1.1


def test_calls_that_wait_do_not_hold_up_the_end_of_a_job(run):
    ran = run(code=CALLER + """
    import os, threading, time
    def flood():
        while True: call(%d)
    for _ in range(20): threading.Thread(target=flood, daemon=True).start()
    if os.fork() == 0: flood()
    time.sleep(0.2)
    print("end", flush=True)
    os._exit(3)
    """ % number("mount"), json=True)
    assert (ran.verdict["verdict"], ran.verdict["exit_code"], ran.verdict["stdout"]) == ("exit", 3, "end\n")


# ── Where nobody can be told ─────────────────────────────────────────────────────────────────────

SET_MODE_FILTER, NEW_LISTENER = 1, 8


def with_a_listener():
    """A preexec_fn: a filter around us that has the one listener that the kernel gives a process."""
    buffer = ctypes.create_string_buffer(struct.pack("HBBI", 0x06, 0, 0, 0x7fff0000))
    program = ctypes.create_string_buffer(struct.pack("HxxxxxxP", 1, ctypes.addressof(buffer)))
    seccomp = number("seccomp")

    def install():
        libc.prctl(38, 1, 0, 0, 0)
        listener = libc.syscall(seccomp, SET_MODE_FILTER, NEW_LISTENER, program)
        if listener < 0:
            os._exit(99)
        fcntl.fcntl(listener, fcntl.F_SETFD, 0)

    install.keep = (buffer, program)
    return install


def test_below_another_listener_calls_are_refused_alike_and_the_verdict_says_null(run, policy):
    rows = list(marked("default"))
    code = CALLER + """
    print(json.dumps([call(*row) for row in json.load(sys.stdin)]))
    """
    stdin = json.dumps([[row[1], *row[2]] for row in rows])
    ran = run("--policy", policy(report_denied=True), code=code, stdin=stdin, json=True,
              preexec_fn=with_a_listener(), close_fds=False)
    assert ran.verdict["verdict"] == "ok", ran.verdict
    assert json.loads(ran.verdict["stdout"]) == [row[3] for row in rows]
    assert ran.verdict["denied"] is None and ran.verdict["enforcement"]["missing"] == []


def test_an_ordinary_user_has_evidence_too(as_nobody):
    code = "import socket\ntry: socket.socket(socket.AF_VSOCK)\nexcept OSError: pass"
    ran = as_nobody("--best-effort", code=code, json=True)
    assert ran.verdict["denied"] == [{"call": "socket(AF_VSOCK)", "count": 1}]


def test_a_profile_that_lets_nothing_be_sent_reports_all_the_same(run, policy, tmp_path):
    """Of cold starts, where process 1 passes the listener on; warm jobs pass it on themselves."""
    profile = json.loads((PROFILES / "default.json").read_text())
    for group in profile["groups"]:
        group["calls"] = [call for call in group["calls"] if call not in ("sendmsg", "sendmmsg")] or ["sync"]
    path = tmp_path / "mute.json"
    path.write_text(json.dumps(profile))
    ran = run("--policy", policy(seccomp=str(path), report_denied=True), json=True,
              code=CALLER + f"\n    print(call({number('bpf')}))")
    assert ran.verdict["stdout"] == f"{errno.EPERM}\n"
    expected = [{"call": "bpf", "count": 1}] if ran.verdict["enforcement"]["start"] == "cold" else None
    assert ran.verdict["denied"] == expected


def test_a_module_that_is_refused_after_a_fork_holds_no_warm_job_up(run, policy, tmp_path):
    """It is so in a child that waits for its job: nobody looks there yet."""
    modules = tmp_path / "modules"
    modules.mkdir()
    modules.chmod(0o755)
    (modules / "forked.py").write_text(
        "import ctypes, os\nlibc = ctypes.CDLL(None)\n"
        f"os.register_at_fork(after_in_child=lambda: libc.syscall({number('mount')}, 0, 0, 0, 0, 0))\n")
    path = policy(start="warm", preload=["forked"], mounts=[{"source": str(modules), "target": "/mnt"}],
                  environment={"PATH": "/usr/bin:/bin", "PYTHONPATH": "/mnt"}, report_denied=True)
    ran = run("--policy", path, "--start", "warm", code="print('forked' in __import__('sys').modules)", json=True)
    assert (ran.verdict["stdout"], ran.verdict["enforcement"]["start"]) == ("True\n", "warm")
    assert ran.verdict["denied"] == [{"call": "mount", "count": 1}]

"""Which processes and which network a job sees and reaches: its own."""

import errno
import json
import os
import socket

import pytest

pytestmark = pytest.mark.vm("delegated")


# ── Namespaces ───────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("name", ["user", "pid", "net", "mnt", "ipc", "uts", "cgroup"])
def test_every_namespace_is_the_jobs_own(inside, name):
    assert inside["namespaces"][name] != os.stat(f"/proc/self/ns/{name}").st_ino


def test_two_jobs_share_no_namespace(run):
    code = """
        import json, os, sys
        names = ("user", "pid", "net", "mnt", "ipc", "uts", "cgroup")
        print(json.dumps([os.stat(f"/proc/self/ns/{name}").st_ino for name in names]), flush=True)
        sys.stdin.read()
        """
    jobs = [run.start(code=code) for _ in range(2)]
    first, second = (json.loads(job.readline()) for job in jobs)
    assert not set(first) & set(second)
    for job in jobs:
        job.finish()


def test_the_host_name_is_sandbox(inside):
    assert inside["uname"][1] == "sandbox"


def test_the_hosts_domain_name_is_not_told(run, host):
    host.skip_unless_root("sets a domain name, in a namespace of its own")
    ran = run(prefix=["unshare", "--uts", "sh", "-c", 'domainname secret.example; exec "$@"', "sh"]
              if os.path.exists("/bin/domainname") or os.path.exists("/usr/bin/domainname") else
              ["unshare", "--uts", "/usr/bin/python3", "-c", SET_DOMAIN_NAME], code="""
        import ctypes
        name = ctypes.create_string_buffer(65)
        ctypes.CDLL(None).getdomainname(name, 65)
        print(name.value.decode())
        """)
    assert ran.status == 0, ran
    assert "secret" not in ran.stdout


SET_DOMAIN_NAME = """
import ctypes, os, sys
assert ctypes.CDLL(None).setdomainname(b"secret.example", 14) == 0
os.execv(sys.argv[1], sys.argv[1:])
"""


def test_pid_1_is_ours_and_python_another(inside):
    assert inside["pid"] > 1
    assert inside["ppid"] == 1


def test_the_session_is_the_jobs_own_and_has_no_terminal(inside):
    # A session or group from outside would be shown as 0.
    assert inside["sid"] > 0 and inside["pgrp"] > 0
    assert inside["stat"][4] == "0"  # tty_nr


def test_a_signal_to_the_own_group_stays_inside(run):
    ran = run(json=True, code="import os, signal; os.kill(0, signal.SIGTERM)")
    assert (ran.status, ran.verdict["signal"]) == (143, "SIGTERM")


def test_a_signal_to_everybody_stays_inside(run):
    ran = run(code="""
        import os, signal
        try:
            os.kill(-1, signal.SIGKILL)
        except ProcessLookupError:
            pass
        print("still here")
        """)
    assert ran.stdout == "still here\n"


def test_only_the_jobs_own_processes_are_seen(run):
    ran = run(code="import os; print(*sorted(int(n) for n in os.listdir('/proc') if n.isdigit()))")
    pids = [int(pid) for pid in ran.stdout.split()]
    assert len(pids) <= 2 and max(pids) < 10


ON_PID_1 = [
    "open('/proc/1/environ', 'rb').read()",
    "open('/proc/1/mem', 'rb')",
    "open('/proc/1/maps', 'rb').read()",
    "os.listdir('/proc/1/fd')",
    "os.readlink('/proc/1/exe')",
    "os.readlink('/proc/1/root')",
    "resource.prlimit(1, resource.RLIMIT_CPU, (0, 0))",
]
TRY_ON_PID_1 = f"""
    import json, os, resource
    answers = {{}}
    for attempt in {ON_PID_1}:
        try:
            answers[attempt] = f"got {{eval(attempt)}}"
        except OSError as error:
            answers[attempt] = type(error).__name__
    print(json.dumps(answers))
    """


@pytest.mark.parametrize("attempt", ON_PID_1)
def test_pid_1_can_be_neither_read_nor_limited(told, attempt):
    assert told(TRY_ON_PID_1)[attempt] in ("PermissionError", "FileNotFoundError")


@pytest.mark.parametrize("name", ["SIGKILL", "SIGSTOP", "SIGINT", "SIGTERM", "SIGCHLD", "SIGSEGV"])
def test_signals_to_pid_1_change_nothing(run, name):
    ran = run(code=f"""
        import os, signal, subprocess
        try:
            os.kill(1, signal.{name})
        except PermissionError:
            pass
        pid = os.fork()  # pid 1 still reaps, and still passes the exit status on
        if pid == 0:
            os._exit(0)
        os.waitpid(pid, 0)
        os._exit(4)
        """)
    assert ran.status == 4


def test_orphans_are_reaped(run):
    ran = run(code="""
        import os
        for _ in range(200):  # more than --pids would allow as zombies
            pid = os.fork()
            if pid == 0:
                if os.fork() == 0:
                    os._exit(0)
                os._exit(0)
            os.waitpid(pid, 0)
        me = {"1", str(os.getpid())}  # the job's first process may be invisible
        while {n for n in os.listdir("/proc") if n.isdigit()} - me:
            pass
        print("all gone")
        """)
    assert (ran.status, ran.stdout) == (0, "all gone\n"), ran


# ── Network ──────────────────────────────────────────────────────────────────────────────────────


def test_the_only_interface_is_loopback(inside):
    assert inside["interfaces"] == ["lo"]


LOOPBACK = """
    import socket, threading
    server = socket.socket()
    try:
        server.bind(("127.0.0.1", 0))
        server.listen()
        client = socket.create_connection(server.getsockname())
        accepted, _ = server.accept()
        client.sendall(b"hello")
        print(accepted.recv(5).decode())
    except OSError as error:
        print("errno", error.errno)
    """


def test_loopback_is_down(run):
    assert run(code=LOOPBACK).stdout.startswith("errno")


def test_loopback_is_up_where_the_policy_says_so(run, policy):
    assert run("--policy", policy(loopback=True), code=LOOPBACK).stdout == "hello\n"


@pytest.mark.parametrize("loopback", [False, True])
def test_no_address_outside_can_be_reached(run, policy, loopback):
    ran = run("--policy", policy(loopback=loopback), code="""
        import socket
        for family, address in ((socket.AF_INET, ("192.0.2.1", 80)),
                                (socket.AF_INET, ("10.0.0.1", 53)),
                                (socket.AF_INET6, ("2001:db8::1", 80))):
            for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
                try:
                    with socket.socket(family, kind) as s:
                        s.connect(address)
                        print("connected", address)
                except OSError as error:
                    pass
        """)
    assert (ran.status, ran.stdout) == (0, "")


def test_sockets_of_the_host_cannot_be_reached(run, tmp_path):
    abstract = f"\0sandbox-run-test-{os.getpid()}"
    with socket.socket(socket.AF_UNIX) as unix, socket.socket() as tcp:
        unix.bind(abstract)
        unix.listen()
        tcp.bind(("127.0.0.1", 0))
        tcp.listen()
        ran = run(code=f"""
            import socket
            for family, address in ((socket.AF_UNIX, {abstract!r}),
                                    (socket.AF_INET, {tcp.getsockname()!r})):
                try:
                    socket.socket(family).connect(address)
                    print("connected")
                except OSError as error:
                    print("refused")
            """)
    assert ran.stdout == "refused\nrefused\n"


FAMILIES = {name: getattr(socket, name, None) for name in (
    "AF_NETLINK", "AF_PACKET", "AF_VSOCK", "AF_ALG", "AF_BLUETOOTH", "AF_CAN", "AF_TIPC", "AF_RDS")}
MAKE_SOCKETS = f"""
    import ctypes, json
    libc = ctypes.CDLL(None, use_errno=True)
    libc.syscall.restype = ctypes.c_long
    answers = {{}}
    for name, family in {({name: int(number) for name, number in FAMILIES.items() if number})}.items():
        for kind in (1, 2, 3, 5):
            for flags in (0, 1 << 35):  # the kernel reads 32 bits of the argument
                numbers = {41 if os.uname().machine == "x86_64" else 198}, family | flags, kind, 0
                made = libc.syscall(*map(ctypes.c_long, numbers)) >= 0
                answers.setdefault(name, []).append("made" if made else ctypes.get_errno())
    print(json.dumps(answers))
    """


@pytest.mark.parametrize("family", FAMILIES)
def test_socket_families_other_than_unix_and_inet_are_refused(told, family):
    if FAMILIES[family] is None:
        pytest.skip(f"this Python does not know {family}")
    # The filter's answer, not the kernel's for a family that is not built in or a wrong type.
    assert set(told(MAKE_SOCKETS)[family]) <= {errno.EPERM, errno.EAFNOSUPPORT, errno.EACCES}


def test_unix_sockets_work(run):
    ran = run(code="""
        import socket
        a, b = socket.socketpair()
        a.send(b"x")
        s = socket.socket(socket.AF_UNIX)
        s.bind("/tmp/socket")
        print(b.recv(1).decode())
        """)
    assert ran.stdout == "x\n"

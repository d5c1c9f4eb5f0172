"""What a job sees of the host, and what it inherits: nothing. Most tests read one description that
a script inside gives of itself; the others start sandbox-run in strange surroundings."""

import ctypes
import errno
import json
import os
import pathlib
import resource
import shutil
import signal
import socket
import subprocess

import pytest

from mountinfo import parse_mount, reachable
from kernel import USER_MODE_LINUX, libc, without
from processes import descendants
from sandbox_run import SANITIZE, counts_processes, rootfs_path

pytestmark = pytest.mark.vm("delegated")

DESCRIBE = r'''
import ctypes, grp, json, os, platform, resource, signal, socket, stat, sys

libc = ctypes.CDLL(None, use_errno=True)

def read(path):
    try:
        with open(path, "rb") as file:
            return file.read().decode("utf-8", "replace")
    except OSError as error:
        return f"errno {error.errno}"

def attempt(function, *args):
    try:
        return [True, repr(function(*args))]
    except OSError as error:
        return [False, error.errno]

descriptors = {}
for fd in range(1024):
    try:
        info = os.fstat(fd)
    except OSError:
        continue
    descriptors[fd] = [stat.S_IFMT(info.st_mode), os.get_inheritable(fd)]

status = dict(line.split(":\t", 1) for line in read("/proc/self/status").splitlines())
print(json.dumps({
    "ids": [os.getresuid(), os.getresgid()],
    "groups": os.getgroups(),
    "setgroups": read("/proc/self/setgroups").strip(),
    "status": status,
    "securebits": libc.prctl(27, 0, 0, 0, 0),
    "namespaces": {name: os.stat(f"/proc/self/ns/{name}").st_ino
                   for name in ("user", "pid", "net", "mnt", "ipc", "uts", "cgroup")},
    "uname": list(os.uname()),
    "interfaces": [line.split(":")[0].strip()
                   for line in read("/proc/self/net/dev").splitlines()[2:]],
    "mountinfo": read("/proc/self/mountinfo").splitlines(),
    "cgroup": read("/proc/self/cgroup"),
    "uid_map": read("/proc/self/uid_map").split(),
    "proc": sorted(os.listdir("/proc")),
    "sys": os.listdir("/sys") if os.path.exists("/sys") else [],
    "dev": sorted(os.listdir("/dev")),
    "root": sorted(os.listdir("/")),
    "environ": read("/proc/self/environ"),
    "descriptors": descriptors,
    "umask": os.umask(0o22),
    "cwd": os.getcwd(),
    "rlimits": {name: resource.getrlimit(getattr(resource, name))
                for name in dir(resource) if name.startswith("RLIMIT_") and name != "RLIMIT_CORE"},
    "core": [line.split()[4:6] for line in read("/proc/self/limits").splitlines()
             if line.startswith("Max core file size")][0],
    "nice": os.getpriority(os.PRIO_PROCESS, 0),
    "scheduler": os.sched_getscheduler(0),
    "ioprio": libc.syscall(252 if platform.machine() == "x86_64" else 31, 1, 0),
    "personality": read("/proc/self/personality").strip(),
    "oom_score_adj": read("/proc/self/oom_score_adj").strip(),
    "timerslack": read("/proc/self/timerslack_ns").strip(),
    "stat": read("/proc/self/stat").rpartition(")")[2].split(),
    "pid": os.getpid(), "ppid": os.getppid(), "pgrp": os.getpgrp(), "sid": os.getsid(0),
    "python": [sys.flags.isolated, sys.flags.ignore_environment, sys.stdout.encoding],
}))
'''


@pytest.fixture
def told(run, known={}):
    """told(code) gives what a script tells as JSON. Each runs once, for all the tests that look at its answer."""
    def tell(code, *options):
        if code not in known:
            known[code] = run(*options, code=code).value
        return known[code]

    return tell


@pytest.fixture
def inside(told):
    """A job's description of itself, under the default policy."""
    return told(DESCRIBE)


def describe_in(run, *options, **surroundings):
    return run(*options, code=DESCRIBE, **surroundings).value


SYSCALLS = {  # x86-64 and aarch64
    "mount": (165, 40), "umount2": (166, 39), "pivot_root": (155, 41), "unshare": (272, 97),
    "setns": (308, 268), "ptrace": (101, 117), "bpf": (321, 280), "perf_event_open": (298, 241),
    "add_key": (248, 217), "request_key": (249, 218), "keyctl": (250, 219),
    "userfaultfd": (323, 282), "io_uring_setup": (425, 425), "process_vm_readv": (310, 270),
    "process_vm_writev": (311, 271), "open_by_handle_at": (304, 265),
    "name_to_handle_at": (303, 264), "kexec_load": (246, 104), "init_module": (175, 105),
    "finit_module": (313, 273), "reboot": (169, 142), "swapon": (167, 224), "acct": (163, 89),
    "settimeofday": (164, 170), "clock_settime": (227, 112), "syslog": (103, 116),
    "quotactl": (179, 60), "chroot": (161, 51), "fsopen": (430, 430), "open_tree": (428, 428),
    "move_mount": (429, 429), "mount_setattr": (442, 442), "fanotify_init": (300, 262),
    "pidfd_getfd": (438, 438), "clone3": (435, 435), "sethostname": (170, 161),
}


def syscall_number(name):
    return SYSCALLS[name][0 if os.uname().machine == "x86_64" else 1]


# ── Who the job is ───────────────────────────────────────────────────────────────────────────────


def test_uid_and_gid_are_1000(inside):
    assert inside["ids"] == [[1000] * 3, [1000] * 3]
    assert inside["status"]["Uid"].split() == inside["status"]["Gid"].split() == ["1000"] * 4


def test_as_root_there_are_no_supplementary_groups(inside, host):
    host.skip_unless_root("an ordinary user's groups can't be dropped, see the next test")
    assert inside["groups"] == []


def test_no_group_of_the_host_but_the_callers_own_has_a_number_inside(inside):
    # The kernel lets an ordinary user drop no group before it is denied to set any. Those that are
    # left are not mapped: they are the overflow gid, and no file of the host's is there to open.
    assert set(inside["groups"]) <= {1000, 65534}


def test_setgroups_is_denied(inside):
    assert inside["setgroups"] == "deny"


def test_one_uid_is_mapped_and_no_other(inside):
    assert len(inside["uid_map"]) == 3
    assert (inside["uid_map"][0], inside["uid_map"][2]) == ("1000", "1")


@counts_processes
def test_as_root_a_job_is_nobody_on_the_host(run, host):
    host.skip_unless_root("an ordinary user's jobs run as that user")
    started = run.start(code="import sys; print('ready', flush=True); sys.stdin.read()")
    started.expect("ready")
    for pid in descendants(started.pid):
        for key in ("Uid", "Gid"):
            ids = set(status_of(pid)[key].split())
            assert len(ids) == 1 and int(ids.pop()) >= 1000, status_of(pid)
        assert status_of(pid)["Groups"].split() == []
    assert started.finish().status == 0


@counts_processes
def test_as_root_each_job_has_a_host_uid_of_its_own(run, host):
    host.skip_unless_root("an ordinary user's jobs run as that user")
    jobs = [run.start("--uid-range", "700000:8",
                      code="import sys; print('ready', flush=True); sys.stdin.read()")
            for _ in range(4)]
    uids = []
    for job in jobs:
        job.expect("ready")
        uids.append({int(status_of(pid)["Uid"].split()[0]) for pid in descendants(job.pid)})
    assert all(len(each) == 1 for each in uids), uids
    assert len(set.union(*uids)) == 4
    assert all(700000 <= uid < 700008 for uid in set.union(*uids)), uids
    for job in jobs:
        assert job.finish().status == 0


def status_of(pid):
    text = pathlib.Path(f"/proc/{pid}/status").read_text()
    return dict(line.split(":\t", 1) for line in text.splitlines())


@pytest.mark.parametrize("kind", ["CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"])
def test_there_are_no_capabilities(inside, kind):
    assert int(inside["status"][kind], 16) == 0


def test_no_new_privileges_can_be_gained(inside):
    assert inside["status"]["NoNewPrivs"] == "1"


def test_a_seccomp_filter_is_in_force(inside):
    assert inside["status"]["Seccomp"] == "2"


def test_securebits_are_locked(inside):
    bits = inside["securebits"]
    assert bits & 0b10101010 == 0b10101010, bin(bits)  # each bit's lock
    assert bits & 0b01000101 == 0b01000101, bin(bits)  # noroot, no_setuid_fixup, no_cap_ambient


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


# ── Landlock, behind the others ──────────────────────────────────────────────────────────────────

NO_LANDLOCK = without(landlock_create_ruleset=errno.ENOSYS)


def landlock():
    """The version of the host's interface, of which 2 and more are used."""
    return ctypes.CDLL(None).syscall(444, None, 0, 1)


@pytest.fixture
def with_landlock():
    if landlock() < 2:
        pytest.skip("needs a kernel with Landlock")


@pytest.mark.cold  # see landlock.c
@pytest.mark.parametrize("host", ["with", "without"])
def test_landlock_refuses_mounts_to_a_script_that_came_by_capabilities(run, filter_allows, with_landlock, host):
    """Under a filter that lets a script make user namespaces: without Landlock it mounts there."""
    ran = run("--policy", filter_allows("unshare", "mount"), preexec_fn=None if host == "with" else NO_LANDLOCK,
              code="""
        import ctypes, os
        libc = ctypes.CDLL(None, use_errno=True)
        print(libc.unshare(0x10000000 | 0x20000))  # CLONE_NEWUSER, CLONE_NEWNS
        print(libc.mount(b"/tmp", b"/work", None, 4096, None), ctypes.get_errno())  # MS_BIND
        """)
    assert ran.stdout == ("0\n-1 1\n" if host == "with" else "0\n0 0\n"), ran


@pytest.mark.parametrize("host", ["with", "without"])
def test_landlock_keeps_signals_in_the_script(run, host):
    if landlock() < 6:
        pytest.skip("needs Linux 6.12")
    ran = run(preexec_fn=None if host == "with" else NO_LANDLOCK, code="""
        import os, signal, subprocess
        try:
            os.kill(1, 0)
            print("sent")
        except PermissionError:
            print("refused")
        child = subprocess.Popen(["sleep", "1000"])
        child.terminate()
        print(child.wait())
        """)
    assert ran.stdout == ("refused\n-15\n" if host == "with" else "sent\n-15\n"), ran


def test_landlock_leaves_a_scripts_files_to_it(run):
    ran = run(code="""
        import os
        os.makedirs("/tmp/a"), os.makedirs("/tmp/b/c")
        open("/tmp/a/file", "w").close()
        os.rename("/tmp/a/file", "/tmp/b/c/file")
        os.link("/tmp/b/c/file", "/tmp/a/linked")
        os.mkfifo("/tmp/a/pipe")
        os.rename("/tmp/b", "/tmp/a/b")
        print(sorted(os.listdir("/tmp/a")), os.listdir("/tmp/a/b/c"))
        """)
    assert ran.stdout == "['b', 'linked', 'pipe'] ['file']\n", ran


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


# ── Files ────────────────────────────────────────────────────────────────────────────────────────


def test_a_warm_job_has_the_mounts_of_a_cold_one(run):
    def mounts(start):
        lines = run("--start", start, code="print(open('/proc/self/mountinfo').read().strip())").stdout.splitlines()
        return sorted((root, point, sorted(options), kind) for root, point, options, kind, _ in
                      map(parse_mount, reachable(lines)))
    assert mounts("warm") == mounts("cold") != []


def test_every_mount_is_read_only_or_a_tmpfs(inside):
    for line in inside["mountinfo"]:
        _, point, options, kind, _ = parse_mount(line)
        assert "ro" in options or kind == "tmpfs" or is_node(point), line


def is_node(point):
    return point in {f"/dev/{name}" for name in ("null", "zero", "full", "random", "urandom")}


def test_every_mount_is_nosuid_and_nodev(inside):
    for line in inside["mountinfo"]:
        _, point, options, _, _ = parse_mount(line)
        assert "nosuid" in options, line
        assert "nodev" in options or is_node(point), line


def test_writable_mounts_are_tmp_work_and_shm_alone(inside):
    writable = {point for _, point, options, _, _ in map(parse_mount, inside["mountinfo"])
                if "rw" in options and not is_node(point)}
    assert writable == {"/tmp", "/work", "/dev/shm"}


def test_mountinfo_tells_nothing_of_the_host_that_could_be_avoided(inside, run):
    checkout = str(pathlib.Path(__file__).resolve().parents[2])
    for line in inside["mountinfo"]:
        root, point, _, _, source = parse_mount(line)
        if point != "/":  # the root's own line names its directory: the kernel writes it
            assert checkout not in line and str(rootfs_path()) not in line
            assert root == "/" or is_node(point) or not os.path.isabs(source), line
        assert "/cgroup" not in line and "sandbox-run-" not in line.split(" ", 4)[4], line


def test_the_old_root_is_gone(inside):
    points = [parse_mount(line)[1] for line in reachable(inside["mountinfo"])]
    assert points.count("/") == 1
    assert set(points) <= {"/", "/proc", "/dev", "/tmp", "/work", "/dev/shm", "/dev/null",
                           "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom"}


def test_cgroups_of_the_host_are_not_told(inside):
    for line in inside["cgroup"].splitlines():
        assert line.endswith(":/"), line


def test_proc_shows_processes_and_nothing_else(inside):
    assert [name for name in inside["proc"] if not name.isdigit()] == ["self", "thread-self"]


OF_LIBRARIES = ["cpuinfo", "meminfo", "stat", "uptime", "loadavg", "version"]
OF_THE_HOST = [
    "kcore", "keys", "key-users", "kmsg", "kallsyms", "sysrq-trigger", "timer_list", "sched_debug",
    "latency_stats", "interrupts", "cmdline", "config.gz", "mounts/../1/environ", "partitions",
    "vmallocinfo", "slabinfo", "kpagecount", "modules", "iomem", "ioports", "diskstats"]
DIRECTORIES = ["acpi", "scsi", "bus", "fs", "irq", "driver", "tty", "sysvipc", "asound", "dynamic_debug",
               "pressure"]
READ_MASKED = f"""
    import json, os
    def size(path):
        try:
            return len(open(f"/proc/{{path}}", "rb").read(100))
        except OSError:
            return 0
    def writable(top):
        for directory, names, files in os.walk(f"/proc/{{top}}"):
            for name in files:
                try:
                    open(os.path.join(directory, name), "r+b")
                    yield os.path.join(directory, name)
                except OSError:
                    pass
    print(json.dumps([{{path: size(path) for path in {OF_LIBRARIES + OF_THE_HOST}}},
                      {{top: list(writable(top)) for top in {DIRECTORIES}}}]))
    """


@pytest.fixture
def masked(told, policy):
    """The bytes that can be read of files in a masked /proc, and what can be written in its directories."""
    return told(READ_MASKED, "--policy", policy(proc="masked"))


@pytest.mark.parametrize("path", OF_LIBRARIES)
def test_masked_proc_has_what_libraries_read(masked, path):
    assert masked[0][path] > 0


@pytest.mark.parametrize("path", OF_THE_HOST)
def test_masked_proc_hides_what_tells_of_the_host(masked, path):
    assert masked[0][path] == 0


@pytest.mark.parametrize("directory", DIRECTORIES)
def test_directories_of_a_masked_proc_are_empty_or_cannot_be_changed(masked, directory):
    assert masked[1][directory] == []


def test_what_masks_files_of_proc_is_not_the_hosts_to_touch(run, policy):
    before = os.stat("/dev/null")
    ran = run("--policy", policy(proc="masked"), code=f"""
        import os
        paths = [os.path.join("/proc", name) for name in {OF_THE_HOST}]
        masked = [path for path in paths if os.path.exists(path) and not os.path.isdir(path)]
        for path in masked:
            for attempt in (lambda: os.utime(path), lambda: os.utime(path, (0, 0)), lambda: os.chmod(path, 0o666)):
                try:
                    attempt()
                    print("changed", path)
                except OSError:
                    pass
        print(len(masked) > 5)
        """)
    assert (ran.status, ran.stdout) == (0, "True\n")
    after = os.stat("/dev/null")
    assert (before.st_atime_ns, before.st_mtime_ns) == (after.st_atime_ns, after.st_mtime_ns)


def test_masked_proc_lets_nothing_be_written_in_sys(run, policy):
    ran = run("--policy", policy(proc="masked"), code="""
        import os
        for directory, names, files in os.walk("/proc/sys"):
            for name in files:
                try:
                    os.open(os.path.join(directory, name), os.O_WRONLY)
                    print("could write", directory, name)
                except OSError:
                    pass
        """)
    assert (ran.status, ran.stdout) == (0, "")


def test_sys_is_not_there(inside):
    assert inside["sys"] == []


def test_dev_has_five_nodes_and_shm(inside):
    nodes = {"full", "null", "random", "shm", "urandom", "zero"}
    assert nodes <= set(inside["dev"])
    # Links to /proc/self/fd are no devices.
    assert set(inside["dev"]) - nodes <= {"fd", "stdin", "stdout", "stderr"}


def test_the_devices_are_what_they_are_called(run):
    ran = run(code="""
        import os, stat
        assert open("/dev/zero", "rb").read(4) == bytes(4)
        assert open("/dev/null", "rb").read() == b""
        assert open("/dev/null", "wb").write(b"x") == 1
        assert open("/dev/urandom", "rb").read(16) != open("/dev/random", "rb").read(16)
        try:
            os.write(os.open("/dev/full", os.O_WRONLY), b"x")
        except OSError as error:
            print(error.errno)
        print([oct(stat.S_IMODE(os.stat(d).st_mode)) for d in ("/dev/shm", "/tmp")])
        """)
    assert ran.status == 0, ran
    assert ran.stdout == "28\n['0o1777', '0o1777']\n"


def test_no_device_can_be_made(run):
    ran = run(code="""
        import os, stat
        for kind in (stat.S_IFCHR, stat.S_IFBLK):
            try:
                os.mknod("/tmp/node", kind | 0o666, os.makedev(1, 3))
                print("made")
            except OSError as error:
                print(error.errno)
        """)
    assert ran.stdout == "1\n1\n"


def test_the_root_file_system_cannot_be_changed(run):
    ran = run(code="""
        import os
        for top, names, files in os.walk("/"):
            if top in ("/tmp", "/work", "/dev/shm", "/proc"):
                names[:] = []
                continue
            try:
                open(os.path.join(top, "made"), "x")
                print("made in", top)
            except OSError:
                pass
            for name in files[:5]:
                path = os.path.join(top, name)
                for attempt in (lambda: open(path, "ab"), lambda: os.unlink(path),
                                lambda: os.chmod(path, 0o777), lambda: os.rename(path, path + "x"),
                                lambda: os.utime(path, (0, 0))):
                    if path.startswith("/dev/"):
                        continue
                    try:
                        attempt()
                        print("changed", path)
                    except OSError:
                        pass
        """)
    assert (ran.status, ran.stdout) == (0, ""), ran


def test_tmp_and_work_are_empty_and_writable(run):
    ran = run(code="""
        import os, tempfile
        print(os.listdir("/tmp"), os.listdir("/work"), os.listdir("/dev/shm"))
        for directory in ("/tmp", "/work", "/dev/shm"):
            open(directory + "/x", "w").write("x")
        with tempfile.TemporaryDirectory() as directory:
            print(directory.startswith("/tmp/"))
        """)
    assert ran.stdout == "[] [] []\nTrue\n"


def test_nothing_is_writable_where_the_policy_says_so(run, policy):
    ran = run("--policy", policy(writable=False), code="""
        for path in ("/tmp/test", "/work/test", "/dev/shm/test", "test", "/test"):
            try:
                open(path, "w")
                print("made", path)
            except OSError as error:
                print(type(error).__name__, error.errno)
        """)
    assert ran.status == 0, ran
    assert len(ran.stdout.splitlines()) == 5 and "made" not in ran.stdout
    assert set(ran.stdout.splitlines()) <= {"OSError 30", "PermissionError 13"}, ran.stdout


def test_the_read_only_job_still_reads_its_script_and_files(run, policy, tmp_path):
    (tmp_path / "data.txt").write_text("data")
    script = run.script("print(open('data.txt').read())\n1/0")
    ran = run("--policy", policy(writable=False), "--files", tmp_path / "data.txt", script)
    assert ran.stdout == "data\n"
    assert "    1/0" in ran.stderr


def test_one_job_sees_no_file_of_another(run):
    write = "open('/tmp/left', 'w'); open('/work/left', 'w'); open('/dev/shm/left', 'w')"
    assert run(code=write).status == 0
    ran = run(code="import os; print(os.listdir('/tmp'), os.listdir('.'), os.listdir('/dev/shm'))")
    assert ran.stdout == "[] [] []\n"


def test_no_file_of_the_host_can_be_opened_by_its_path(run, tmp_path):
    (tmp_path / "secret").write_text("of the host")
    ran = run(code=f"""
        import os
        for path in ({str(tmp_path / "secret")!r}, "/root", "/home", "/etc/shadow", "/boot",
                     "/var/run/docker.sock", "/run/systemd", {str(rootfs_path())!r},
                     "/proc/1/root/etc", "/proc/self/../1/cwd/etc"):
            try:
                found = os.listdir(path) if os.path.isdir(path) else open(path).read()
                if found:
                    print(path, found)
            except OSError:
                pass
        """)
    assert ran.status == 0
    assert "of the host" not in ran.stdout
    assert ran.stdout == "", ran.stdout


def test_a_mount_of_the_policy_is_read_only_nosuid_and_nodev(run, policy, tmp_path, host):
    source = tmp_path / "data"
    source.mkdir()
    (source / "file").write_text("shared")
    (source / "file").chmod(0o666)
    for directory in (source, *source.parents):
        if directory.stat().st_uid == os.geteuid() and len(directory.parts) > 2:
            directory.chmod(directory.stat().st_mode | 0o055)
    # /opt is in every root file system of Debian, as a target.
    path = policy(mounts=[{"source": str(source), "target": "/opt"}])
    ran = run("--policy", path, code="""
        print(open("/opt/file").read())
        print(*[line for line in open("/proc/self/mountinfo") if " /opt " in line], end="")
        try:
            open("/opt/file", "a")
            print("could write")
        except OSError as error:
            print(error.errno)
        """)
    lines = ran.stdout.splitlines()
    assert lines[0] == "shared", ran
    assert {"ro", "nosuid", "nodev"} <= parse_mount(lines[1])[2]
    assert lines[2] == "30"


# ── What is not inherited ────────────────────────────────────────────────────────────────────────


def test_the_environment_is_the_policys_and_nothing_else(inside, run, default_policy):
    expected = default_policy["environment"]
    names = dict(item.split("=", 1) for item in inside["environ"].split("\0") if item)
    assert names == expected
    assert names["HOME"] == "/work" and names["TMPDIR"] == "/tmp"
    strange = {"SECRET": "1", "PYTHONPATH": "/x", "LD_PRELOAD": "", "PYTHONSTARTUP": "/x",
               "LC_ALL": "C", "TZ": "Asia/Tokyo", "PYTHONHASHSEED": "1", "PYTHONHOME": ""}
    assert describe_in(run, env=strange)["environ"] == inside["environ"]


def test_descriptors_are_three_pipes_and_the_result(inside, run):
    def check(description):
        descriptors = {int(fd): kind for fd, kind in description["descriptors"].items()}
        assert set(descriptors) <= {0, 1, 2, 3}, descriptors
        assert 3 not in descriptors or descriptors[3][1] is False  # closed on exec

    check(inside)
    opened = [os.open("/etc/passwd", os.O_RDONLY) for _ in range(10)]
    high = os.dup2(opened[0], 900)
    try:
        check(describe_in(run, pass_fds=[*opened, high]))
    finally:
        for fd in (*opened, high):
            os.close(fd)


def test_a_program_that_the_script_starts_has_three_descriptors(run):
    ran = run(code="""
        import os, sys
        code = "print([fd for fd in range(1000) if os.path.exists(f'/proc/self/fd/{fd}')])"
        os.execv(sys.executable, [sys.executable, "-c", "import os; " + code])
        """)
    assert ran.stdout == "[0, 1, 2]\n", ran


def strange_signals():
    for number in range(1, 65):
        if number not in (signal.SIGKILL, signal.SIGSTOP, 32, 33, signal.SIGCHLD):
            signal.signal(number, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_BLOCK, set(range(1, 65)) - {32, 33})


@pytest.mark.parametrize("key", ["SigBlk", "SigIgn", "SigCgt"])
def test_signal_mask_and_dispositions_are_the_same_whatever_the_caller_had(inside, run, key):
    strange = describe_in(run, preexec_fn=strange_signals, restore_signals=False)
    assert strange["status"][key] == inside["status"][key]


def test_nothing_is_blocked_and_nothing_ignored_but_what_python_ignores(inside):
    assert int(inside["status"]["SigBlk"], 16) == 0
    pythons = 1 << signal.SIGPIPE - 1 | 1 << signal.SIGXFSZ - 1
    assert int(inside["status"]["SigIgn"], 16) == pythons


def test_an_ignored_sigchld_of_the_caller_does_no_harm(run):
    ran = run(code="import os; print(os.WEXITSTATUS(os.waitpid(os.spawnv(os.P_NOWAIT, "
                   "'/bin/sh', ['sh', '-c', 'exit 5']), 0)[1]))",
              preexec_fn=lambda: signal.signal(signal.SIGCHLD, signal.SIG_IGN))
    assert (ran.status, ran.stdout) == (0, "5\n")


def test_the_umask_is_fixed(inside, run):
    assert inside["umask"] == 0o022
    for mask in (0o000, 0o077, 0o777):
        assert describe_in(run, preexec_fn=lambda: os.umask(mask))["umask"] == 0o022


def test_a_strange_umask_of_the_caller_does_no_harm_to_files(run, tmp_path):
    (tmp_path / "helper.py").write_text("x = 1")
    ran = run("--files", tmp_path / "helper.py", run.script("import helper; print(helper.x)"),
              preexec_fn=lambda: os.umask(0o777))
    assert ran.stdout == "1\n", ran


def test_the_working_directory_is_work(inside, run):
    assert inside["cwd"] == "/work"
    assert describe_in(run, cwd="/")["cwd"] == "/work"


def test_it_runs_from_a_directory_that_is_gone(run, tmp_path):
    (tmp_path / "gone").mkdir()

    def go():
        os.chdir(tmp_path / "gone")
        os.rmdir(tmp_path / "gone")

    assert run(code="import os; print(os.getcwd())", preexec_fn=go).stdout == "/work\n"


def test_rlimits_are_the_same_whatever_the_caller_had(inside, run):
    def lower():
        for kind, value in ((resource.RLIMIT_FSIZE, 1 << 20), (resource.RLIMIT_STACK, 1 << 20),
                            (resource.RLIMIT_CORE, 0), (resource.RLIMIT_NOFILE, 64),
                            (resource.RLIMIT_MEMLOCK, 4096), (resource.RLIMIT_CPU, 1000),
                            (resource.RLIMIT_DATA, 1 << 30), (resource.RLIMIT_AS, 1 << 32)):
            if SANITIZE and kind in (resource.RLIMIT_AS, resource.RLIMIT_DATA):
                continue  # AddressSanitizer's shadow memory needs terabytes of addresses
            resource.setrlimit(kind, (value, resource.getrlimit(kind)[1]))

    strange = describe_in(run, preexec_fn=lower)["rlimits"]
    for kind, value in inside["rlimits"].items():
        assert strange[kind] == value, kind


def test_core_dumps_are_off(inside):
    # Only with 1 the kernel leaves a core_pattern that is a pipe alone: core(5).
    assert inside["core"] == ["1", "1"]


@pytest.mark.parametrize("limits", [(0, 0), (0, 1), (1 << 30, 1 << 30), (-1, -1)], ids=str)
def test_core_dumps_stay_off_whatever_a_script_sets(run, limits):
    """Programs that switch them off, as daemons and harnesses do, are not told no."""
    ran = run(code=f"""
        import resource, subprocess
        resource.setrlimit(resource.RLIMIT_CORE, {limits!r})
        print(resource.getrlimit(resource.RLIMIT_CORE), flush=True)
        subprocess.run("ulimit -c 0 && ulimit -c unlimited; grep core /proc/self/limits", shell=True, check=True)
        try:
            resource.prlimit(0, resource.RLIMIT_CORE, {limits!r})
        except PermissionError:
            print("refused")
        """)
    assert (ran.status, ran.stdout.split()) == (0, ["(1,", "1)", "Max", "core", "file", "size", "1", "1", "bytes", "refused"])


def test_open_files_are_limited_as_the_policy_says(inside, default_policy):
    assert inside["rlimits"]["RLIMIT_NOFILE"] == [default_policy["limits"]["open_files"]] * 2


# ── Its share of the machine: what stands back for others is kept, what takes precedence is not ──


def io_priority(level, kind):
    number = 251 if os.uname().machine == "x86_64" else 30
    assert libc.syscall(number, 1, 0, kind << 13 | level) == 0  # ioprio_set(IOPRIO_WHO_PROCESS, self, …)


def scheduler(policy, priority=0):
    os.sched_setscheduler(0, policy, os.sched_param(priority))


@pytest.mark.parametrize("cpus", [{cpu} for cpu in sorted(os.sched_getaffinity(0))[:2]], ids=str)
def test_the_cpus_of_the_caller_are_the_jobs(run, cpus):
    ran = run(code="""
        import json, os, subprocess
        print(json.dumps([sorted(os.sched_getaffinity(0)), os.cpu_count(),
                          int(subprocess.run("nproc", capture_output=True).stdout)]))
        """, preexec_fn=lambda: os.sched_setaffinity(0, cpus))
    assert ran.value == [sorted(cpus), 1, 1]


def test_a_job_has_all_cpus_that_its_caller_has(run):
    assert run(code="import os; print(len(os.sched_getaffinity(0)) - os.cpu_count())").stdout == "0\n"
    assert run(code="import os, json; print(json.dumps(sorted(os.sched_getaffinity(0))))").value == \
        sorted(os.sched_getaffinity(0))


@pytest.mark.parametrize("nice", [10, 19])
def test_a_nice_caller_has_nice_jobs(run, nice):
    assert describe_in(run, preexec_fn=lambda: os.setpriority(os.PRIO_PROCESS, 0, nice))["nice"] == nice


def test_a_job_cannot_be_less_nice_than_its_caller(run):
    ran = run(preexec_fn=lambda: os.setpriority(os.PRIO_PROCESS, 0, 10), code="""
        import os
        for nice in (9, 0, -1):
            try:
                os.setpriority(os.PRIO_PROCESS, 0, nice)
            except PermissionError:
                print(os.getpriority(os.PRIO_PROCESS, 0))
        """)
    assert ran.stdout == "10\n10\n10\n", ran


def test_a_priority_above_the_ordinary_one_is_not_the_jobs(run, host):
    host.skip_unless_root("raises a priority")
    strange = describe_in(run, preexec_fn=lambda: os.setpriority(os.PRIO_PROCESS, 0, -10))
    assert strange["nice"] == 0


@pytest.mark.parametrize("policy", [os.SCHED_BATCH, os.SCHED_IDLE])
def test_a_scheduling_policy_that_stands_back_is_kept(run, policy):
    assert describe_in(run, preexec_fn=lambda: scheduler(policy))["scheduler"] == policy


@pytest.mark.parametrize("policy", [os.SCHED_FIFO, os.SCHED_RR, os.SCHED_FIFO | os.SCHED_RESET_ON_FORK])
def test_a_real_time_priority_of_the_caller_is_not_inherited(inside, run, host, policy):
    host.skip_unless_root("sets a real-time priority")
    try:
        strange = describe_in(run, preexec_fn=lambda: scheduler(policy, 1))
    except subprocess.SubprocessError:
        pytest.skip("this host gives no real-time priorities to this cgroup")
    assert strange["scheduler"] == os.SCHED_OTHER and strange["nice"] in (0, inside["nice"])


IDLE, BEST_EFFORT, REAL_TIME = 3, 2, 1


@pytest.mark.parametrize("level,kind", [(7, IDLE), (7, BEST_EFFORT), (5, BEST_EFFORT)])
def test_an_io_priority_that_stands_back_is_kept(run, level, kind):
    assert describe_in(run, preexec_fn=lambda: io_priority(level, kind))["ioprio"] == kind << 13 | level


@pytest.mark.parametrize("level,kind", [(0, REAL_TIME), (7, REAL_TIME), (0, BEST_EFFORT), (3, BEST_EFFORT)])
def test_an_io_priority_above_the_ordinary_one_is_not_the_jobs(inside, run, host, level, kind):
    if kind == REAL_TIME:
        host.skip_unless_root("sets a real-time priority")
    assert describe_in(run, preexec_fn=lambda: io_priority(level, kind))["ioprio"] == inside["ioprio"]


def test_a_nice_callers_jobs_weigh_less_against_other_jobs(run, host):
    """The kernel compares nice values within a cgroup; a job has one of its own."""
    def weight(nice):
        started = run.start(code="print('ready', flush=True); input()",
                            preexec_fn=lambda: os.setpriority(os.PRIO_PROCESS, 0, nice))
        started.expect("ready")
        names = {"v2": "cpu.weight", "v1": "cpu.shares"}
        found = {int(path.read_text()) for path in job_files(started, names[host.cgroup])}
        started.finish()
        return found

    if host.cgroup not in ("v1", "v2"):
        pytest.skip("no cgroup holds jobs here")
    ordinary_weight = {"v2": 100, "v1": 1024}[host.cgroup]
    assert weight(0) == {ordinary_weight}
    (ten,), (nineteen,) = weight(10), weight(19)
    assert ordinary_weight / 11 < ten < ordinary_weight / 8 and 1 <= nineteen < ten / 4


def job_files(started, name):
    """The file of that name in the cgroup of each job below a sandbox-run."""
    for pid in descendants(started.pid):
        for line in pathlib.Path(f"/proc/{pid}/cgroup").read_text().splitlines():
            _, controllers, path = line.split(":", 2)
            if "/job-" in path:
                mount = next(iter(controllers.split(",")))
                file = pathlib.Path("/sys/fs/cgroup", "cpu" if mount in ("cpu", "cpuacct") else mount, path[1:], name)
                if file.exists():
                    yield file


def test_personality_is_the_default(inside, run):
    assert int(inside["personality"], 16) == 0
    strange = describe_in(run, preexec_fn=lambda: libc.personality(0x0040000 | 0x400000))
    assert int(strange["personality"], 16) == 0


def test_the_oom_score_is_the_same_whatever_the_caller_had(inside, run):
    def raise_score():
        pathlib.Path("/proc/self/oom_score_adj").write_text("500")

    assert describe_in(run, preexec_fn=raise_score)["oom_score_adj"] == inside["oom_score_adj"]


@pytest.mark.vm("root")
def test_as_root_a_job_is_not_spared_by_the_out_of_memory_killer(run, host):
    host.skip_unless_root("lowers its own oom_score_adj")

    def lower_score():
        pathlib.Path("/proc/self/oom_score_adj").write_text("-500")

    try:
        subprocess.run(["true"], preexec_fn=lower_score)
    except subprocess.SubprocessError:
        pytest.skip("this host lets not even root lower an oom_score_adj")
    assert int(describe_in(run, preexec_fn=lower_score)["oom_score_adj"]) >= 0


def test_the_callers_keys_cannot_be_read(run):
    def make_key():
        add_key, keyctl = syscall_number("add_key"), syscall_number("keyctl")
        if libc.syscall(keyctl, 1, None) < 0:  # KEYCTL_JOIN_SESSION_KEYRING
            raise OSError(ctypes.get_errno(), "keyctl")
        if libc.syscall(add_key, b"user", b"secret", b"data", 4, -3) < 0:
            raise OSError(ctypes.get_errno(), "add_key")

    ran = run(preexec_fn=make_key, code=f"""
        import ctypes
        libc = ctypes.CDLL(None, use_errno=True)
        found = libc.syscall({syscall_number("request_key")}, b"user", b"secret", None, 0)
        print(found, ctypes.get_errno())
        found = libc.syscall({syscall_number("keyctl")}, 10, -3, b"user", b"secret", 0)  # SEARCH
        print(found, ctypes.get_errno())
        """)
    assert ran.stdout.split()[0::2] == ["-1", "-1"], ran
    assert set(ran.stdout.split()[1::2]) <= {"1", "38"}


@pytest.fixture
def filter_allows(policy, tmp_path):
    """filter_allows(call, …) is a policy whose filter lets these through: what stands behind it is then seen."""
    def write(*calls):
        directory = pathlib.Path(os.environ.get("SANDBOX_POLICIES", "/usr/share/sandbox-run/policies"))
        profile = json.loads((directory / "seccomp" / "default.json").read_text())
        for group in profile["groups"]:
            group["calls"] = [call for call in group["calls"] if call not in calls]
        profile["groups"] = [group for group in profile["groups"] if group["calls"]]
        profile["groups"].append({"why": "a test", "action": "allow", "calls": list(calls)})
        (tmp_path / "open.json").write_text(json.dumps(profile))
        return policy(seccomp=str(tmp_path / "open.json"))

    return write


def test_a_job_has_a_session_keyring_of_its_own(run, filter_allows):
    def make_key():
        libc.syscall(syscall_number("keyctl"), 1, None)
        libc.syscall(syscall_number("add_key"), b"user", b"secret", b"data", 4, -3)

    ran = run("--policy", filter_allows("keyctl"), preexec_fn=make_key, code=f"""
        import ctypes
        libc = ctypes.CDLL(None, use_errno=True)
        print(libc.syscall({syscall_number("keyctl")}, 10, -3, b"user", b"secret", 0))
        print(ctypes.get_errno())
        """)
    assert ran.stdout == f"-1\n{errno.ENOKEY}\n", ran


# ── How python dies ──────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("code,name", [
    ("import os, signal; os.kill(os.getpid(), signal.SIGTERM)", "SIGTERM"),
    ("import os, signal; os.kill(os.getpid(), signal.SIGKILL)", "SIGKILL"),
    ("import os, signal; os.kill(os.getpid(), signal.SIGHUP)", "SIGHUP"),
    ("import os, signal; signal.raise_signal(signal.SIGUSR1)", "SIGUSR1"),
    ("import signal; signal.setitimer(signal.ITIMER_REAL, 0.01); signal.pause()", "SIGALRM"),
    ("import os; os.abort()", "SIGABRT"),
    ("import ctypes; ctypes.string_at(0)", "SIGSEGV"),
    ("import os, signal; os.kill(os.getpid(), 40)", "SIGRT"),
])
def test_python_dies_of_signals_as_it_does_outside(run, code, name):
    ran = run(json=True, code=code)
    number = 40 if name == "SIGRT" else getattr(signal, name)
    assert ran.status == 128 + number
    assert (ran.verdict["verdict"], ran.verdict["exit_code"]) == ("signal", None)
    assert ran.verdict["signal"].startswith(name)


# ── System calls ─────────────────────────────────────────────────────────────────────────────────

CALL = """
    import ctypes, json, os
    libc = ctypes.CDLL(None, use_errno=True)
    libc.syscall.restype = ctypes.c_long
    answers = []
    for numbers in {calls}:
        result = libc.syscall(*map(ctypes.c_long, numbers))
        answers.append([result, ctypes.get_errno()])
        if numbers[0] in (56, 220) and result == 0:
            os._exit(0)  # a child that was made
    print(json.dumps(answers))
    """


def answer(told, calls, call):
    """What one of some system calls gives, each made in turn: (result, errno)."""
    answers = told(CALL.format(calls=calls))
    return tuple(answers[calls.index(call)])


DANGEROUS = [[syscall_number(name), 0, 0, 0, 0, 0, 0] for name in SYSCALLS]


@pytest.mark.parametrize("name", sorted(SYSCALLS))
def test_a_dangerous_system_call_is_refused(told, name):
    answered = answer(told, DANGEROUS, [syscall_number(name), 0, 0, 0, 0, 0, 0])
    assert answered in ((-1, errno.EPERM), (-1, errno.ENOSYS))
    if name == "clone3":
        assert answered == (-1, errno.ENOSYS)


UNKNOWN = [[number, 0] for number in (1000, 462 + 200, 0x3fffffff)]


def test_a_system_call_that_the_profile_does_not_know_is_not_there(told):
    for call in UNKNOWN:
        assert answer(told, UNKNOWN, call) == (-1, errno.ENOSYS)


NAMESPACE_FLAGS = [0x10000000, 0x20000000, 0x40000000, 0x00020000, 0x08000000, 0x04000000, 0x02000000,
                   0x00000080]
HIGH_BITS = [0, 1 << 32]
CLONE = 56 if os.uname().machine == "x86_64" else 220
CLONES = [[CLONE, flag | 17 | high, 0, 0, 0, 0] for flag in NAMESPACE_FLAGS for high in HIGH_BITS]


@pytest.mark.parametrize("flag", NAMESPACE_FLAGS)
@pytest.mark.parametrize("high", HIGH_BITS)
def test_clone_with_a_namespace_flag_is_refused(told, flag, high):
    assert answer(told, CLONES, [CLONE, flag | 17 | high, 0, 0, 0, 0]) == (-1, errno.EPERM)


TYPING = [0x5412, 0x541C, 0x5412 | 1 << 32]
IOCTLS = [[16 if os.uname().machine == "x86_64" else 29, 0, request, 0] for request in TYPING]


@pytest.mark.parametrize("request_number", TYPING)
def test_ioctls_that_type_into_a_terminal_are_refused(told, request_number):
    assert answer(told, IOCTLS, IOCTLS[TYPING.index(request_number)]) == (-1, errno.EPERM)


def test_calls_of_x32_do_nothing(run):
    if os.uname().machine != "x86_64":
        pytest.skip("x32 is x86-64's")
    ran = run(json=True, code=CALL.format(calls=[[0x40000000 | 39]]))  # getpid
    assert ran.verdict["signal"] == "SIGSYS" or ran.verdict["stdout"].startswith("[[-1, "), ran


@pytest.mark.skipif(USER_MODE_LINUX, reason="user-mode Linux answers them itself")
def test_calls_of_i386_kill(run):
    if os.uname().machine != "x86_64":
        pytest.skip("i386 is x86-64's")
    ran = run(json=True, code=r"""
        import ctypes, mmap
        code = b"\xb8\x14\x00\x00\x00\xcd\x80\xc3"  # mov eax, 20 (getpid); int 0x80; ret
        try:
            m = mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
        except OSError:
            print("no memory can be made executable")
            raise SystemExit
        m.write(code)
        address = ctypes.addressof(ctypes.c_char.from_buffer(m))
        print("pid", ctypes.CFUNCTYPE(ctypes.c_int)(address)())
        """)
    assert "pid" not in ran.verdict["stdout"]
    assert ran.verdict["signal"] in ("SIGSYS", "SIGSEGV") or "executable" in ran.verdict["stdout"]


def test_threads_work_although_clone3_is_not_there(run):
    ran = run(code="""
        import threading
        results = []
        threads = [threading.Thread(target=results.append, args=(i,)) for i in range(10)]
        for t in threads: t.start()
        for t in threads: t.join()
        print(sorted(results))
        """)
    assert ran.stdout == f"{list(range(10))}\n"


def test_a_root_file_system_in_an_image_of_its_own_tells_no_path_of_the_host(run, host, tmp_path):
    """sandbox-rootfs(1) says how. Otherwise field 4 of the line for / is the path on the host's file system."""
    host.skip_unless_root("to mount an image")
    if shutil.which("mke2fs") is None:
        pytest.skip("mke2fs is not installed: apt install e2fsprogs")
    image, place = tmp_path / "image", tmp_path / "rootfs"
    place.mkdir()
    subprocess.run(["mke2fs", "-q", "-t", "ext4", "-d", rootfs_path(), image, "1G"], check=True)
    # A mount namespace of its own: what is mounted goes with it.
    prefix = ["unshare", "--mount", "sh", "-c", 'mount -o loop,ro "$1" "$2" || exit 77; shift 2; exec "$@"', "sh",
              str(image), str(place)]
    ran = run("--rootfs", place, prefix=prefix, code="print(open('/proc/self/mountinfo').read())")
    if ran.status == 77:
        pytest.skip("this host has no loop devices")
    [line] = [line.split() for line in ran.stdout.splitlines() if line.split()[4:5] == ["/"]]
    assert line[3] == "/" and str(tmp_path) not in ran.stdout, ran

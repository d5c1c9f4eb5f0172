"""Warm starts in the service: clients notice only that they are faster, whatever becomes of the zygotes."""

import contextlib
import fcntl
import json
import os
import pathlib
import re
import resource
import signal
import time

import pytest

from processes import descendants, living
from sandbox_run import QUICK
from sandbox_serve import SANITIZED, Held
from waiting import until
from zygotes import READY, zygotes

MANY = 40 if QUICK or SANITIZED else 150


def zombies(server):
    """Its children that are dead and wait to be waited for."""
    children = descendants(server.pid)
    return children - living(children)


@pytest.fixture
def ready(serve, server):
    """ready(jobs=4, …) starts a server and waits until its interpreters are there; ready() is the one that tests share
    which only ask."""
    shared = server

    def start(zygotes_wanted=READY, **chosen):
        server = serve(**chosen) if chosen else shared
        until(lambda: server.metric("sandbox_warm_zygotes") >= zygotes_wanted and server.metric("sandbox_warm_parked") > 0)
        return server
    return start


def test_jobs_start_warm_once_the_interpreters_are_there(ready):
    assert ready().run("print(1)")["enforcement"]["start"] == "warm"


def test_zygotes_and_interpreters_that_wait_are_counted_by_policy(ready):
    server = ready()
    server.run("pass")

    def told():
        metrics = server.metrics()
        sums = {what: sum(value for name, value in metrics.items() if name[0] == f"sandbox_policy_{what}")
                for what in ("warm_zygotes", "warm_parked")}
        return (all(sums[what] == metrics[(f"sandbox_{what}",)] for what in sums)
                and metrics[("sandbox_policy_warm_zygotes", "run")] == 1)
    until(told)


def test_zygotes_have_the_interpreter_in_huge_pages(ready):
    """Where the host has some, which is nothing but speed."""
    huge = pathlib.Path("/sys/kernel/mm/transparent_hugepage/enabled")
    if not huge.exists() or "[never]" in huge.read_text():
        pytest.skip("this host has no huge pages")
    maps = [pathlib.Path(f"/proc/{pid}/smaps").read_text() for pid in zygotes(ready())]
    assert any(re.search(r"^AnonHugePages:\s+[1-9]", text, re.MULTILINE) for text in maps)


def test_a_zygote_has_in_memory_what_jobs_touch(ready):
    """Where the host shows what that is, which is nothing but speed: a clone takes time for each page."""
    for pid in zygotes(ready()):
        smaps = pathlib.Path(f"/proc/{pid}/smaps").read_text()
        put_away = re.findall(r" /memfd:zygote .*\nSize: +(\d+) kB\n(?:.*\n)*?Rss: +(\d+) kB\n", smaps)
        size, resident = (sum(map(int, column)) for column in zip(*put_away))
        assert 0 < resident < size / 2


def parked(server, whose=b"-c"):
    """The pids of the children that wait for a job: of the scripts' processes, or, with b"", of all."""
    found = set()
    for pid in living(descendants(server.pid)) - set(zygotes(server)):
        with contextlib.suppress(OSError):  # one that has ended
            if whose in pathlib.Path(f"/proc/{pid}/cmdline").read_bytes():
                found.add(pid)
    return found


@pytest.mark.skipif(os.geteuid() != 0, reason="looks at the memory of other users' processes, as root")
@pytest.mark.parametrize("lockable", ["what the host gives", 0])
def test_a_child_that_waits_has_of_its_own_what_its_job_will_write_to(ready, lockable):
    """Copied at the clone where the zygote may lock memory, else while it waits: no job pays for it."""
    server = ready(jobs=4)
    if lockable == 0:
        before = set(zygotes(server))
        resource.prlimit(server.pid, resource.RLIMIT_MEMLOCK, (0, 0))
        server.signal(signal.SIGHUP)
        until(lambda: len(zygotes(server)) >= READY and not before & set(zygotes(server)))

    def private_kib():
        sizes = []
        for pid in parked(server):
            with contextlib.suppress(OSError):  # one that has ended
                text = pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text()
                sizes.append(int(re.search(r"^Private_Dirty: +(\d+) kB", text, re.MULTILINE)[1]))
        return sizes

    until(lambda: len(private_kib()) >= READY and min(private_kib()) > 500)


def test_what_jobs_touch_of_libraries_they_inherit(ready):
    """A clone passes on nothing of a file's pages: a zygote has copies."""
    for pid in zygotes(ready()):
        smaps = pathlib.Path(f"/proc/{pid}/smaps").read_text()
        copies = re.findall(r" r-xp .*/libc\.so\.6\n(?:\w+: .*\n)*?Anonymous: +(\d+) kB", smaps)
        assert max(map(int, copies)) >= 64


def test_a_jobs_libraries_have_one_mapping_for_all_that_is_never_written_to(ready):
    maps = ready().run("print(open('/proc/self/maps').read())")["stdout"]
    permissions = re.findall(r" (r\S+) \S+ \S+ \d+ +\S+/libc\.so\.6$", maps, re.MULTILINE)
    # RELRO is not as it is in the file: it comes from somewhere else there, or is one with the copies of the rest.
    assert permissions in (["r-xp", "rw-p"], ["r-xp", "r-xp", "rw-p"], ["r-xp", "r--p", "rw-p"])


@pytest.mark.skipif(os.geteuid() != 0, reason="looks at the files behind a process's memory, as root")
def test_nobody_can_change_what_the_children_of_a_zygote_share(ready):
    looked_at = 0
    for pid in zygotes(ready()):
        for mapping in pathlib.Path(f"/proc/{pid}/map_files").iterdir():
            if "memfd:zygote" in os.readlink(mapping):
                with open(mapping, "rb") as file:
                    assert fcntl.fcntl(file, fcntl.F_GET_SEALS) & fcntl.F_SEAL_WRITE
                looked_at += 1
    assert looked_at >= READY


@pytest.mark.slow
def test_a_crowd_waits_for_interpreters_and_starts_warm(ready):
    """More at once than a zygote can be asked for."""
    crowd = 40 if SANITIZED else 200 if QUICK else 1000
    server = ready(jobs=crowd, memory=f"{crowd}G", queue=crowd)
    asked = {number: server.send("POST", "/run", {"code": f"print({number})"}) for number in range(crowd)}
    answers = {number: connection.answer().json for number, connection in asked.items()}
    assert {answer["enforcement"]["start"] for answer in answers.values()} == {"warm"}
    assert all(answer["output"] == str(number) for number, answer in answers.items())


def test_told_to_start_cold_it_keeps_no_interpreters(serve):
    server = serve(cold=True)
    assert server.run("print(1)")["enforcement"]["start"] == "cold"
    assert (zygotes(server), server.metric("sandbox_warm_zygotes")) == ([], 0)


@pytest.mark.slow
def test_with_zygotes_killed_under_load_each_request_is_answered_once(ready):
    server = ready(jobs=4, queue=MANY, queue_time="5m")
    asked = {number: server.send("POST", "/run", {"code": f"print({number})"}) for number in range(MANY)}
    killed = 0
    for number, connection in asked.items():
        if number % 10 == 0:
            for pid in zygotes(server):
                with contextlib.suppress(ProcessLookupError):  # ended by its service meanwhile
                    os.kill(pid, signal.SIGKILL)
                killed += 1
        answer = connection.answer()
        assert (answer.status, answer.json["verdict"], answer.json["output"]) == (200, "ok", str(number))
        assert connection.answer() is None
    assert killed >= READY
    until(lambda: server.metric("sandbox_warm_zygotes") >= READY)
    until(lambda: server.run("print(1)")["enforcement"]["start"] == "warm")


def test_parked_children_that_are_killed_are_replaced(ready):
    server = ready(jobs=4)
    family = set(zygotes(server))
    for pid in living(descendants(server.pid)) - family:
        with contextlib.suppress(ProcessLookupError):  # it went with one that was killed before
            os.kill(pid, signal.SIGKILL)
    for number in range(20):
        assert server.run(f"print({number})")["output"] == str(number)
    until(lambda: server.metric("sandbox_warm_parked") > 0)
    assert set(zygotes(server)) == family


@pytest.mark.parametrize("whose", [b"", b"-c"], ids=["all of it", "the script's process alone"])
def test_a_child_that_dies_before_it_has_taken_its_job_leaves_that_to_another_start(ready, whose):
    """Later, too, than jobs that have only just begun are left alone (supervise.c)."""
    server = ready(jobs=4)
    waiting = parked(server, whose)
    for pid in waiting:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGSTOP)
    large = {"files": {"large.txt": "x" * 200_000}}  # more than a socket takes
    connections = [server.send("POST", "/run", {"code": code, "timeout": 2, **more}) for code, more in
                   (("print(1)", {}), ("print(len(open('large.txt').read()))", large), ("while True: pass", {}))]
    until(lambda: server.metric("sandbox_jobs_running") == 3)
    time.sleep(0.1)
    for pid in waiting:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    answers = [connection.answer().json for connection in connections]
    assert [(answer["verdict"], answer["enforcement"]["start"]) for answer in answers] == [
        ("ok", "cold"), ("ok", "cold"), ("timeout", "cold")]
    assert [answer["output"] for answer in answers] == ["1", "200000", ""]
    assert answers[2]["usage"]["wall_time_ms"] >= 2000
    until(lambda: not zombies(server))


def test_the_first_processes_of_warm_jobs_are_waited_for(ready):
    server = ready()
    for _ in range(20):
        server.run("print(1)")
    until(lambda: not zombies(server))


@pytest.mark.parametrize("fields, there", [
    ({}, {"main.py"}),
    ({"name": "other.py"}, {"other.py"}),
    ({"files": {"data": "own"}}, {"main.py", "data"}),
    ({"name": "other.py", "files": {"main.py": "own"}}, {"other.py", "main.py"}),
])
def test_a_warm_job_has_its_own_files_and_no_others(ready, fields, there):
    # main.py is made before the job comes.
    code = """
import os
print(*os.listdir())
print(*(open(name).read() for name in ("main.py", "data") if os.path.isfile(name)))
"""
    answer = ready().run(code, policy="default", **fields)
    assert answer["enforcement"]["start"] == "warm"
    names, contents = answer["stdout"].split("\n", 1)
    assert set(names.split()) == there
    assert ("own" in contents.split()) == ("files" in fields) and (code.strip() in contents) == ("name" not in fields)


def test_the_evidence_is_of_one_job_alone(ready):
    """Cgroups serve one job after the other (v1), and there are more of them than one."""
    server = ready()
    large = "x = b'x' * (60 << 20)"
    greedy = large + "; import threading, time; threading.Thread(target=time.sleep, args=(0.05,)).start()"
    busy = "import time\nwhile time.process_time() < 0.2: pass"
    for code in (large, greedy, busy):
        for _ in range(8):
            assert server.run(code, policy="default")["verdict"] == "ok"
        for _ in range(8):
            used = server.run("print(1)", policy="default")["usage"]
            assert used["memory_peak_bytes"] < 16 << 20 and used["pids_peak"] == 1 and used["cpu_time_ms"] < 150, used
    used = server.run(greedy, policy="default")["usage"]
    assert used["memory_peak_bytes"] > 60 << 20 and used["pids_peak"] == 2


def test_the_cgroup_of_a_clean_job_serves_others(ready):
    """Which is nothing but speed, and for v1 alone: what can't be set back there is as low as it can be."""
    server = ready()
    if server.run("print(1)")["enforcement"]["cgroup"] != "v1":
        pytest.skip("for cgroup v1 alone")

    every = set()
    own = set(zygotes(server))  # in cgroups of their own
    for _ in range(60):
        server.run("print(1)")
        for pid in descendants(server.pid) - own:
            with contextlib.suppress(OSError):
                every |= set(re.findall(r"/sandbox-run/(job-\d+)", pathlib.Path(f"/proc/{pid}/cgroup").read_text()))
    assert 0 < len(every) < 45, every


def test_what_a_job_brings_is_imported_and_not_what_is_there_already(ready):
    server = ready()
    code = "import json\nprint(json.__file__, __name__, __file__)"
    assert server.run(code)["output"] == "/usr/lib/python3.11/json/__init__.py __main__ /work/main.py"
    for files in ({"json.py": ""}, {"json/__init__.py": ""}):
        answer = server.run(code, files=files)
        assert answer["output"] == f"/work/{[*files][0]} __main__ /work/main.py", answer
    assert server.run(code, files={"other.py": ""})["output"].startswith("/usr/lib")


def test_the_end_of_what_is_preloaded_is_each_jobs_own(ready, policies):
    """A zygote that rehearses the end of a job keeps what comes once: threads are joined, exit functions called."""
    code = """
import atexit, logging, threading
class Handler(logging.Handler):
    def close(self):
        print("closed")
logging.getLogger().addHandler(Handler())
atexit.register(print, "atexit")
threading.Thread(target=lambda: print(threading.main_thread().join(), "thread")).start()
"""
    server = ready(policies=policies(run={"preload": ["logging", "threading"]}))
    for _ in range(3):
        answer = server.run(code, policy="run")
        assert (answer["output"], answer["enforcement"]["start"]) == ("None thread\natexit\nclosed", "warm")


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_nothing_is_left_of_interpreters_that_were_about_to_be_ready(serve, number):
    """Zygotes have children that they learn from, for a moment."""
    for step in range(0, 30, 4 if QUICK else 1):
        server = serve()
        time.sleep(0.01 * step)
        family = descendants(server.pid)
        server.signal(number)
        server.wait()
        if number == signal.SIGKILL:
            until(lambda family=family: not living(family))
        assert not living(family)


def test_a_zygote_is_renewed_without_a_cold_start(ready):
    server = ready(renew_jobs=5, jobs=1)
    before = set(zygotes(server))
    for number in range(40):
        assert server.run("print(1)")["enforcement"]["start"] == "warm", number
    until(lambda: len(zygotes(server)) == len(before) and set(zygotes(server)) != before)


def test_a_reload_gives_new_interpreters_and_ends_the_old_ones(ready, policies):
    server = ready(policies=policies())
    before = set(zygotes(server))
    policies(run={"environment": {"COLOUR": "blue"}})
    server.signal(signal.SIGHUP)
    until(lambda: server.run("import os; print(os.environ.get('COLOUR'))")["output"] == "blue")
    until(lambda: server.metric("sandbox_warm_zygotes") >= READY and not before & set(zygotes(server)))
    answer = server.run("import os; print(os.environ.get('COLOUR'))")
    assert (answer["output"], answer["enforcement"]["start"]) == ("blue", "warm")


def test_a_policy_for_pythons_development_mode_starts_warm(ready, policies):
    # There CPython ends the process, not runner.py; when it did so in a rehearsal, the zygote was gone.
    server = ready(policies=policies(run={"environment": {"PYTHONDEVMODE": "1"}}))
    answer = server.run("import sys; print(sys.flags.dev_mode); sys.exit(3)")
    assert (answer["stdout"], answer["exit_code"], answer["enforcement"]["start"]) == ("True\n", 3, "warm")


def test_a_zygote_that_never_gets_ready_keeps_no_other_from_it(ready, policies, tmp_path):
    """They start one after the other."""
    tmp_path.chmod(0o755)
    (tmp_path / "endless.py").write_text("import time\ntime.sleep(1e6)\n")
    server = ready(READY - 1, policies=policies(run={
        "preload": ["endless"], "environment": {"PYTHONPATH": "/mnt"}, "mounts": [{"source": str(tmp_path), "target": "/mnt"}]}))
    assert server.run("print(1)")["enforcement"]["start"] == "cold"
    assert server.run("print(1)", policy="default")["enforcement"]["start"] == "warm"


def test_a_request_with_limits_of_its_own_gets_them_warm(ready):
    server = ready()
    answer = server.run("import resource; print(resource.getrlimit(resource.RLIMIT_NOFILE)[0], flush=True); b'x' * 100_000_000",
                        limits={"open_files": 33, "memory_bytes": 64 << 20})
    assert (answer["stdout"], answer["verdict"], answer["enforcement"]["start"]) == ("33\n", "memory", "warm")


# Leaves things for another job to find, each under a name that the other knows; then it waits.
LEAVE = """
import ctypes, mmap, os, socket
libc = ctypes.CDLL(None, use_errno=True)
kept = socket.socket(socket.AF_UNIX); kept.bind("\\0meeting"); kept.listen()
inet = socket.socket(); inet.bind(("127.0.0.1", 7777))
for path in ("/dev/shm/meeting", "/tmp/meeting", "/work/meeting"):
    open(path, "w").write("here")
segment = libc.shmget(7777, 4096, 0o1666)
queue = libc.msgget(7777, 0o1666)
secret = b"the secret of the meeting" * 1000
libc.syscall(248, b"user", b"meeting", b"here", 4, -3)  # add_key
print(os.readlink("/proc/self/ns/net"), flush=True)
"""
# Prints all of it that it finds.
FIND = """
import ctypes, os, socket
libc = ctypes.CDLL(None, use_errno=True)
def found(what, look):
    try:
        if look(): print("found", what)
    except OSError: pass
found("socket", lambda: socket.socket(socket.AF_UNIX).connect("\\0meeting") is None)
found("port", lambda: socket.socket().connect(("127.0.0.1", 7777)) is None)
for path in ("/dev/shm/meeting", "/tmp/meeting", "/work/meeting"):
    found(path, lambda: os.path.exists(path))
found("segment", lambda: libc.shmget(7777, 4096, 0) >= 0)
found("queue", lambda: libc.msgget(7777, 0) >= 0)
found("key", lambda: libc.syscall(249, b"user", b"meeting", None, 0) >= 0)  # request_key
pids = sorted(int(name) for name in os.listdir("/proc") if name.isdigit())
found("process", lambda: not {*pids} <= {1, os.getpid()})
class Part(ctypes.Structure): _fields_ = [("at", ctypes.c_void_p), ("size", ctypes.c_size_t)]
room = ctypes.create_string_buffer(8)
for pid in range(1, 300):
    if pid != os.getpid():
        found(f"memory of {pid}", lambda: libc.process_vm_readv(pid, ctypes.byref(Part(ctypes.addressof(room), 8)), 1,
              ctypes.byref(Part(id(pids), 8)), 1, 0) >= 0)
        found(f"{pid} to trace", lambda: libc.ptrace(16, pid, 0, 0) == 0)
        found(f"{pid} to signal", lambda: pid > 2 and os.kill(pid, 0) is None)
text = open("/proc/self/maps").read()
found("shared memory", lambda: [line for line in text.splitlines() if line.split()[1][1::2] == "ws"])
print(os.readlink("/proc/self/ns/net"), flush=True)
"""


def test_two_warm_jobs_do_not_find_each_other(ready):
    """Side by side, and one after the other in the same network namespace."""
    server = ready()
    alone = server.run(LEAVE + FIND, policy="default", timeout=60)["stdout"]
    for what in ("socket", "/dev/shm/meeting", "/tmp/meeting", "/work/meeting", "segment", "queue"):
        assert f"found {what}\n" in alone, "what is left can't be found at all"
    waiting = Held(server, None, {}, {}, first=LEAVE).started()
    side_by_side = server.run(FIND, policy="default", timeout=60)
    assert side_by_side["enforcement"]["start"] == "warm"
    assert len(side_by_side["stdout"].splitlines()) == 1, side_by_side["stdout"]
    left = waiting.release()
    assert left.json["stdout"].startswith("net:["), left.json
    namespaces = {left.json["stdout"].split()[0]}
    again = 0
    for _ in range(40):
        after = server.run(FIND, policy="default", timeout=60)
        assert len(after["stdout"].splitlines()) == 1, after["stdout"]
        again += after["stdout"].strip() in namespaces
        namespaces.add(after["stdout"].strip())
        server.run(LEAVE, policy="default", timeout=60)
    assert again > 0, "no network namespace was used again: nothing was tried"


# What /proc tells of the job's network. A few numbers there are the whole host's, and change beside us.
NETWORK_SEEN = """
import json, os, re
seen = {}
for root, _, names in os.walk("/proc/self/net"):
    for name in names:
        path = os.path.join(root, name)
        try: seen[path[len("/proc/self/net/"):]] = open(path).read()
        except OSError as error: seen[path] = error.errno
for name in ("softnet_stat", *[name for name in seen if name.startswith("stat/")]):
    seen.pop(name, None)
for name in ("sockstat", "sockstat6"):
    seen[name] = re.sub("(orphan|alloc|mem) [0-9]+", "", seen[name])
seen["netlink"] = [line.split()[1:-1] for line in seen["netlink"].splitlines()]  # without address and inode
seen["protocols"] = [line.split()[:3] for line in seen["protocols"].splitlines()]
print(json.dumps([os.readlink("/proc/self/ns/net"), seen]))
"""
# Moves counters, leaves sockets that hold themselves and with them a name and a port, and labels.
NETWORK_USED = """
import array, os, socket, struct
def attempt(function, *arguments):
    try: return function(*arguments)
    except OSError: pass
for family, addresses in ((socket.AF_INET, ("127.0.0.1", "192.0.2.1", "239.1.1.1")),
                          (socket.AF_INET6, ("::1", "2001:db8::1", "ff02::1", "::ffff:192.0.2.1"))):
    for address in addresses:
        attempt(socket.socket(family).connect, (address, 80))
        attempt(socket.socket(family, socket.SOCK_DGRAM).sendto, b"x", (address, 80))
label = struct.pack("=16sIBBHHHI", bytes(15) + b"\\1", 0x12345, 1, 255, 1, 600, 600, 0)
attempt(socket.socket(socket.AF_INET6, socket.SOCK_DGRAM).setsockopt, 41, 32, label)
port = socket.socket(); port.bind(("", 7777)); port.listen()
for _ in range(20):
    a, b = socket.socketpair()
    name = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM); attempt(name.bind, "\\0used")
    rights = array.array("i", [a.fileno(), b.fileno(), name.fileno(), port.fileno()])
    for each in (a, b):
        each.sendmsg([b"x"], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, rights)])
print(os.readlink("/proc/self/ns/net"), flush=True)
"""


def test_a_warm_job_sees_nothing_of_what_the_last_one_did_in_its_network(ready):
    server = ready()
    first = json.loads(server.run(NETWORK_SEEN, policy="default", timeout=60)["stdout"])[1]
    undisturbed = set()
    for _ in range(40):
        used = server.run(NETWORK_USED, policy="default", timeout=60)
        assert used["stdout"].startswith("net:["), used
        after = server.run(NETWORK_SEEN, policy="default", timeout=60)
        assert after["enforcement"]["start"] == "warm"
        name, now = json.loads(after["stdout"])
        assert now == first, {key: (value, first.get(key)) for key, value in now.items() if value != first.get(key)}
        undisturbed.add(name)
    assert len(undisturbed) < 40, "no network namespace was used again: nothing was tried"

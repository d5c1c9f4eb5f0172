"""The interpreter of a hostile image, while a root file system is made of it: what it reaches and takes. It runs in a
cell, to compile its library, with the privileges of nobody.

A test of what it takes calls the cell itself, with bounds that are soon reached."""

import ast
import ctypes
import os
import pathlib
import resource
import subprocess
import sys

import pytest

from kernel import libc
from processes import living
from rootfs_images import ROOTFS_DIR, entry, library_name, needs_tools
from sandbox_run import rootfs_path

sys.path.insert(0, str(ROOTFS_DIR))
import cell  # noqa: E402
import interpreter  # noqa: E402

pytestmark = [pytest.mark.cold, pytest.mark.skipif(os.uname().machine != "x86_64", reason="numbers are of x86-64")]

KEYCTL, ADD_KEY, JOIN_SESSION, SESSION_KEYRING = 250, 248, 1, -3

# Runs whenever the image's python does. Each attempt says what the kernel said: a number from 0 up is success.
SPY = b"""
import ctypes
libc = ctypes.CDLL(None, use_errno=True)
def tried(result):
    return result if result >= 0 else -ctypes.get_errno()
limit = (ctypes.c_ulong * 2)()
libc.getrlimit(4, limit)
report = {
    "a key of the caller": tried(libc.syscall(250, 10, -3, b"user", b"canary", 0)),
    "a keyring": tried(libc.syscall(250, 0, -3, 0)),
    "adding a key": tried(libc.syscall(248, b"user", b"x", b"x", 1, -3)),
    "a user namespace": tried(libc.unshare(0x10000000)),
    "a mount namespace": tried(libc.unshare(0x00020000)),
    "bpf": tried(libc.syscall(321, 0, 0, 0)),
    "io_uring": tried(libc.syscall(425, 1, ctypes.create_string_buffer(120))),
    "perf_event_open": tried(libc.syscall(298, ctypes.create_string_buffer(128), 0, -1, -1, 0)),
    "userfaultfd": tried(libc.syscall(323, 1)),
    "ptrace": tried(libc.ptrace(0, 0, 0, 0)),
    "core": limit[0] - 1,
    "core, the hard limit": limit[1] - 1,
    "filter": libc.prctl(21, 0, 0, 0, 0) - 2,
}
for family in range(46):
    if family != 1:
        report["family %d" % family] = tried(libc.socket(family, 2, 0))
try:
    open("/var/report", "w").write(repr(report))
except OSError:
    pass
"""

# Jobs may have these as well: their network is their own, without a route.
HARMLESS = {"core", "core, the hard limit", "filter", "family 2", "family 10"}


def spy_entries():
    """The spy, and what it needs: ctypes."""
    root, library = rootfs_path(), f"usr/lib/{library_name()}"
    paths = [*(root / library / "lib-dynload").glob("_ctypes.*"), *(root / library / "ctypes").glob("*.py"),
             *(root / "usr/lib").glob("*-linux-gnu*/libffi.so.8")]
    return [*(entry(str(path.relative_to(root)), data=path.read_bytes()) for path in paths),
            entry(f"{library}/sitecustomize.py", data=SPY), entry("var/x")]


def hold_key():
    """In the child that becomes sandbox-rootfs: a session with a secret in it, as that of a login."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, resource.getrlimit(resource.RLIMIT_CORE)[1]))
    if libc.syscall(KEYCTL, JOIN_SESSION, None) < 0 or libc.syscall(
            ADD_KEY, b"user", b"canary", b"secret", 6, SESSION_KEYRING) < 0:
        os._exit(99)
    # So that being somebody else is not what keeps it away.
    key = libc.syscall(KEYCTL, 10, SESSION_KEYRING, b"user", b"canary", 0)
    libc.syscall(KEYCTL, 5, key, ctypes.c_uint32(0x3f3f3f3f))
    libc.syscall(KEYCTL, 5, libc.syscall(KEYCTL, 0, SESSION_KEYRING, 0), ctypes.c_uint32(0x3f3f3f3f))


@needs_tools
def test_a_hostile_interpreter_has_the_jobs_filter_and_no_key(rootfs, image):
    ran = rootfs("import", image(*spy_entries()).layout(), rootfs.target, preexec_fn=hold_key)
    assert ran.returncode == 0, ran
    report = ast.literal_eval((rootfs.target / "var/report").read_text())
    assert {name for name, result in report.items() if result >= 0} <= HARMLESS, report
    assert (report["core"], report["core, the hard limit"], report["filter"]) == (0, 0, 0), report


# ── What it takes ────────────────────────────────────────────────────────────────────────────────

GREEDY = {
    "memory": ("import os\ndata = b'x' * (1 << 20)\nkept = []\nwhile True: kept.append(bytearray(data))", "memory"),
    "memory of many": ("import os\nfor _ in range(4): os.fork()\nkept = []\n"
                       "while True: kept.append(bytearray(b'x' * (1 << 20)))", "memory"),
    "memory in files of memory": ("import os\nfd = os.memfd_create('x')\ndata = b'x' * (1 << 20)\n"
                                  "while True: os.write(fd, data)", "memory"),
    "disk": ("data = b'x' * (1 << 20)\nwith open('/tmp/x', 'wb') as file:\n    while True: file.write(data)", "disk"),
    "files": ("n = 0\nwhile True:\n    open(f'/tmp/{n}', 'w').close()\n    n += 1", "files"),
    "time": ("while True: pass", "time"),
    "time, asleep": ("import signal\nfor number in range(1, 32):\n    try: signal.signal(number, signal.SIG_IGN)\n"
                     "    except OSError: pass\nwhile True: signal.pause()", "time"),
    "time, with its output closed": ("import os\nfor fd in range(3): os.close(fd)\nwhile True: pass", "time"),
    "processes": ("import os, time\nwhile True:\n    try:\n        if os.fork() == 0: time.sleep(1000)\n"
                  "    except OSError: time.sleep(.01)", "time"),
    "output": ("import os\nwhile True: os.write(1, b'x' * 65536)", "time"),
}
# One is small, the others are far away: what other tests take meanwhile counts as well.
SMALL = {"memory": {"memory": 256 << 20}, "disk": {"disk": 64 << 20}, "files": {"files": 2000}, "time": {"seconds": 3}}


@pytest.mark.parametrize("kind", GREEDY)
def test_a_program_that_takes_without_end_is_ended(tmp_path, kind):
    code, what = GREEDY[kind]
    root = pathlib.Path(tmp_path / "tree")
    root.mkdir()
    for name in ("usr", "lib64", "lib", "tmp"):
        (root / name).mkdir()
    owner = cell.builder_id()
    os.chmod(tmp_path, 0o755)
    os.chmod(root / "tmp", 0o1777)
    binds = [(str(rootfs_path() / "usr"), "usr", False), (str(rootfs_path() / "usr/lib"), "lib", False),
             (str(rootfs_path() / "usr/lib64"), "lib64", False)]
    before = living(children_of(os.getpid()))
    with pytest.raises(cell.CellError, match=what):
        cell.run(str(root), ["/usr/bin/python3", "-I", "-S", "-c", code], owner=owner, writable=True, binds=binds,
                 env=interpreter.PYTHON_ENV, code=cell.read_filter(interpreter.filter_path()), bounds=cell.Bounds(**SMALL[what]))
    assert living(children_of(os.getpid())) == before


def children_of(pid):
    return {int(child) for child in pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split()}


@pytest.mark.parametrize("data", [b"", b"x" * 100, b"sb-seccp" + bytes(24)], ids=["empty", "other", "of no machine"])
def test_without_a_filter_nothing_of_an_image_runs(tmp_path, data):
    (tmp_path / "seccomp").mkdir()
    (tmp_path / "seccomp/default.bpf").write_bytes(data)
    environment = {**os.environ, "SANDBOX_POLICIES": str(tmp_path)}
    ran = subprocess.run([ROOTFS_DIR / "sandbox-rootfs", "check", rootfs_path()], env=environment, capture_output=True,
                         text=True, check=False)
    assert ran.returncode == 1 and "is not a filter for this machine" in ran.stdout, ran

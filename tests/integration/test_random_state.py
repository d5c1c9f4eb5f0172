"""Random numbers that a preloaded module drew before a job came belong to no other job: each warm job has random state
of its own, though all jobs are copies of one zygote."""

import ast
import base64
import json
import os
import re
import shutil
import subprocess
import zlib

import pytest

from sandbox_run import CHECKOUT, rootfs_path

pytestmark = pytest.mark.skipif(shutil.which("cc") is None, reason="no C compiler here")

# Expressions that each process has another value for. The preloaded module uses each before there are jobs.
GENERATORS = {
    "random": "random.random()",
    "random.SystemRandom": "random.SystemRandom().random()",
    "secrets": "secrets.token_hex()",
    "ssl": "ssl.RAND_bytes(16)",
    "sqlite3": "database.execute('select random()').fetchone()",
    "sqlite3, bytes": "sqlite3.connect(':memory:').execute('select randomblob(16)').fetchone()",
    "tempfile": "next(tempfile._get_candidate_names())",
    "tempfile, a file": "tempfile.mktemp()",
    "multiprocessing.synchronize": "next(multiprocessing.synchronize.SemLock._rand)",
    "multiprocessing.process": "bytes(multiprocessing.process.current_process().authkey)",
    "uuid.uuid1, the host": "uuid.uuid1().node",
    "uuid.uuid1, the clock": "uuid.uuid1().clock_seq",
    "uuid.getnode": "uuid.getnode()",
    "uuid.uuid4": "uuid.uuid4()",
    "email.utils": "email.utils.make_msgid()",
    "email.generator": "email.generator._make_boundary()",
    "urllib.request": "urllib.request.AbstractDigestAuthHandler().get_cnonce('')",
    "os.urandom": "os.urandom(16)",
    "os.getrandom": "os.getrandom(16)",
    "glibc's getrandom": "drawn('getrandom', 16)",
    "glibc's getentropy": "drawn('getentropy', 16)",
    "glibc's arc4random": "drawn('arc4random_buf', 16)",
}
PRELOADED = f"""
import ctypes, email.generator, email.utils, multiprocessing.process, multiprocessing.synchronize, os, random, secrets
import sqlite3, ssl, tempfile, urllib.request, uuid

def drawn(function, size):
    buffer = ctypes.create_string_buffer(size)
    getattr(ctypes.CDLL(None), function, os.urandom)(*{{"getrandom": (buffer, size, 0)}}.get(function, (buffer, size)))
    return buffer.raw if any(buffer.raw) else os.urandom(size)  # a C library without it

def draw():
    return [repr(eval(each)) for each in {list(GENERATORS.values())}]

database = sqlite3.connect(":memory:")
pid = os.getpid()
draw()
"""
DRAW = "import json, os, used\nprint(json.dumps([used.pid, os.getpid(), *used.draw()]))"


@pytest.fixture
def jobs(compiled, tmp_path):
    """jobs(module, code, …) runs two jobs of one zygote that has imported a module of that text as `used`; gives what
    they wrote, as JSON."""
    program = compiled(CHECKOUT / "tests" / "integration" / "warm.c")

    def run_jobs(module, code, prefix=(), rootfs=None, **environment):
        policies = shutil.copytree(os.environ["SANDBOX_POLICIES"], tmp_path / "policies", dirs_exist_ok=True)
        mounted = tmp_path / "mounted"
        mounted.mkdir(exist_ok=True)
        mounted.chmod(0o755)
        (mounted / "used.py").write_text(module)
        policy = json.loads((policies / "default.json").read_text())
        policy["preload"] = ["used"]
        policy["environment"] |= {"PYTHONPATH": "/mnt", **environment}
        policy["mounts"] = [{"source": str(mounted), "target": "/mnt"}]
        (policies / "default.json").write_text(json.dumps(policy))
        ran = subprocess.run([*prefix, program, policies, "default", rootfs or rootfs_path(), code, code],
                             capture_output=True, text=True, check=False)
        assert (ran.returncode, ran.stderr) == (0, ""), ran
        verdicts = [json.loads(line) for line in ran.stdout.splitlines()]
        assert [(each["verdict"], each["enforcement"]["start"]) for each in verdicts] == [("ok", "warm")] * 2, verdicts
        return [json.loads(each["stdout"]) for each in verdicts]

    return run_jobs


def equal(first, second):
    return [name for name, *values in zip(GENERATORS, first, second) if values[0] == values[1]]


@pytest.mark.vm
def test_a_generator_that_was_used_before_jobs_came_gives_each_job_numbers_of_its_own(jobs):
    (_, _, *first), (_, _, *second) = jobs(PRELOADED, DRAW)
    assert equal(first, second) == []


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root: a pid namespace of its own")
def test_so_it_does_where_the_zygote_has_the_process_id_that_its_jobs_have(jobs):
    """By which OpenSSL and tempfile notice a fork. The first process that a namespace's first one starts is its
    second."""
    in_namespace = ["unshare", "--pid", "--fork", "--mount-proc", "--kill-child"]
    (zygote, job, *first), (_, _, *second) = jobs(PRELOADED, DRAW, in_namespace)
    assert zygote == job == 2
    assert equal(first, second) == []


def test_a_process_of_a_job_that_has_the_zygotes_id_draws_numbers_of_its_own(jobs):
    code = """
import json, os, used
while (pid := os.fork()) != 0:
    os.waitpid(pid, 0)
    if pid >= used.pid:
        os._exit(0)
if os.getpid() == used.pid:
    print(json.dumps(used.draw()))
"""
    if os.geteuid() != 0:
        pytest.skip("needs root: a pid namespace of its own, with small ids")
    some = ["unshare", "--pid", "--fork", "--mount-proc", "--kill-child", "sh", "-ec",
            'for i in 1 2 3; do /bin/true; done; "$@"', "sh"]
    first, second = jobs(PRELOADED, code, some)
    assert equal(first, second) == []


def test_numpys_generators_give_each_job_numbers_of_its_own(jobs):
    rootfs = os.environ.get("SANDBOX_ROOTFS_DATA")
    if not rootfs:
        pytest.skip("SANDBOX_ROOTFS_DATA is not set: no root file system with numpy")
    module = """
import numpy.random
def draw():
    return numpy.random.random(), numpy.random.default_rng().random()
draw()
"""
    first, second = jobs(module, "import json, used\nprint(json.dumps(used.draw()))", rootfs=rootfs)
    assert first[0] != second[0] and first[1] != second[1]


def test_what_each_process_draws_alike_outside_it_draws_alike_in_jobs(jobs, run):
    """The C library's rand() begins with the same number everywhere, and random with a seed of the script's."""
    code = "import ctypes, random\nrandom.seed(1)\nprint([ctypes.CDLL(None).rand(), random.random()])"
    assert jobs("import ctypes, random", code) == [run(code=code).value] * 2


@pytest.mark.skipif(os.uname().machine != "x86_64", reason="it is where the dynamic linker alone can write")
def test_the_guard_of_the_stack_is_another_one_in_each_job_and_holds(jobs):
    code = """
import ctypes, json, os, threading
c = ctypes.CDLL(None)
c.pthread_self.restype = ctypes.c_ulong
guards = []
look = lambda: guards.append(ctypes.string_at(c.pthread_self() + 40, 8).hex())
look()
thread = threading.Thread(target=look)
thread.start()
thread.join()
child = os.fork()
if child == 0:
    buffer = ctypes.create_string_buffer(b"%s", 64)  # functions that have an array on their stack
    c.snprintf(buffer, 64, b"%d %s", 1, b"x")
    os._exit(0)
print(json.dumps([*guards, os.waitpid(child, 0)[1]]))
"""
    first, second = jobs("", code)
    assert first[:1] != second[:1]
    for guard, of_a_thread, status in (first, second):
        assert guard == of_a_thread and guard.startswith("00") and guard != "00" * 8
        assert status == 0


# ── All that modules hold ────────────────────────────────────────────────────────────────────────

# Looks at all modules of the standard library that can be imported here, and at whatever their objects hold, for values
# that are alike in no two processes.
HELD = """
import importlib, random, sys

for name in sorted(sys.stdlib_module_names - {"antigravity", "this", "idlelib", "__main__"}):  # which do something
    try:
        importlib.import_module(name)
    except ImportError:
        pass
import email.generator, email.utils, multiprocessing.synchronize, multiprocessing.process

KINDS = (int, float, str, bytes)

def walk(path, value, depth, seen, values):
    if type(value) in KINDS or isinstance(value, bytes):
        values[path] = repr(value)
        return
    if depth == 0 or id(value) in seen or type(value) is type(sys) or value is sys.modules:
        return
    seen.add(id(value))
    if isinstance(value, random.Random) and not isinstance(value, random.SystemRandom):
        values[path] = str(hash(value.getstate()))
        return
    if type(value) is dict:
        parts = list(value.items())
    elif type(value) in (list, tuple):
        parts = list(enumerate(value))
    elif isinstance(value, type):
        parts = list(vars(value).items())
    else:
        parts = list(getattr(value, "__dict__", {}).items())
    for key, part in parts:
        if type(key) in (str, int):
            walk(f"{path}.{key}", part, depth - 1, seen, values)

def held():
    seen, values = set(), {}
    for name in sorted(sys.modules):
        if name.partition(".")[0] in sys.stdlib_module_names:
            walk(name, dict(vars(sys.modules[name])), 6, seen, values)
    return values
"""
USE = """
import random, tempfile, uuid
random.random(), next(tempfile._get_candidate_names()), uuid.getnode(), uuid.uuid1()
next(multiprocessing.synchronize.SemLock._rand), multiprocessing.process.current_process().authkey
"""
# Where things lie in memory, and when something happened.
NOT_RANDOM = re.compile(r".*_addr|ctypes\.pythonapi\._handle|logging\._startTime|threading\._active\..*|"
                        r"sys\.path_importer_cache\..*_path_mtime")


def test_no_module_of_the_standard_library_holds_a_random_value_that_two_jobs_share(jobs):
    """Random is what differs from zygote to zygote."""
    pack = """
import base64, json, used, zlib
print(json.dumps(base64.b64encode(zlib.compress(repr(used.held()).encode())).decode()))
"""
    first, second, other = (
        ast.literal_eval(zlib.decompress(base64.b64decode(text)).decode()) for text in
        [*jobs(HELD + USE, pack, PYTHONHASHSEED="0"), *jobs(HELD + USE, pack, PYTHONHASHSEED="0")[:1]])
    random = {name for name in first if first[name] != other.get(name) and not NOT_RANDOM.fullmatch(name)}
    assert {"multiprocessing.process._current_process._config.authkey", "random._inst"} <= random
    assert [name for name in sorted(random) if first[name] == second.get(name)] == []

"""Fixtures of the tests of sandbox-run, libsandbox and sandbox-rootfs; tests/helpers calls the programs."""

import contextlib
import json
import os
import pathlib
import shutil
import subprocess
import tempfile

import pytest

from host import reachable_by_all
from job_description import DESCRIBE
from leftovers import Left
from rootfs_images import Image, Rootfs, layer, python_layer, snapshot
from run_fixtures import default_policy, host, no_process_is_left, policy, pytest_configure, run  # noqa: F401
from sandbox_run import BINARY, CHECKOUT, LIBRARY, SANITIZE, rootfs_path

# They need an image, and Podman: the mode container of the virtual machine.
collect_ignore = [] if os.environ.get("SANDBOX_TEST_MODE") == "container" else ["test_podman.py"]


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


@pytest.fixture
def left(run, host):
    """left.check() says whether anything is left. For tests that are marked `alone`."""
    return Left(run, host)


@pytest.fixture
def as_nobody(run, host, open_rootfs):
    """Calls sandbox-run as a user who has no cgroup to delegate."""
    host.skip_unless_root("becomes an ordinary user without a delegated cgroup")
    prefix, rootfs, binary = open_rootfs
    become = ["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups",
              "--inh-caps=-all", "env", "-u", "XDG_RUNTIME_DIR", "-u", "DBUS_SESSION_BUS_ADDRESS",
              f"SANDBOX_POLICIES={pathlib.Path(binary).parent / 'policies'}"]

    def call(*options, before=(), **keywords):
        # The tests' own --cgroup would be an answer to the question.
        cgroup, run.cgroup = run.cgroup, None
        original, run.binary = run.binary, binary
        try:
            if not (pathlib.Path(original).parent / "policies").is_dir():
                become[-1] = f"SANDBOX_POLICIES={os.environ['SANDBOX_POLICIES']}"
            return run("--rootfs", rootfs, *options, prefix=[*before, *prefix, *become], cwd="/", **keywords)
        finally:
            run.binary, run.cgroup = original, cgroup

    return call


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


# ── sandbox-rootfs ───────────────────────────────────────────────────────────────────────────────


@pytest.fixture(scope="session")
def base():
    return python_layer()


@pytest.fixture
def image(tmp_path, base):
    """image(entry, …): the tiny image, with these entries as a layer on top."""

    def make(*entries):
        return Image(tmp_path / "image", base, *([layer(*entries)] if entries else []))

    return make


@pytest.fixture
def rootfs(tmp_path):
    made = Rootfs(tmp_path)
    yield made
    with contextlib.suppress(FileNotFoundError):
        for path in made.place.rglob("*"):
            if path.is_dir() and not path.is_symlink():
                path.chmod(0o755)
    # Fifteen megabytes each, and there are more than a hundred of them.
    for path in (made.place, tmp_path / "image"):
        shutil.rmtree(path, ignore_errors=True)


@pytest.fixture(scope="session")
def imported(tmp_path_factory, base):
    directory = tmp_path_factory.mktemp("imported")
    made = Rootfs(directory)
    made.take(Image(directory / "image", base).layout())
    return made.target


@pytest.fixture
def taken(rootfs, imported):
    """A root file system that was imported from the tiny image: a copy, to do with as one likes."""
    subprocess.run(["cp", "-a", imported, rootfs.target], check=True)
    return rootfs


@pytest.fixture
def canary(tmp_path):
    """A directory outside that no image may change, at a path that an image can name."""
    path = tmp_path / "canary"
    path.mkdir()
    (path / "file").write_text("untouched")
    (path / "file").chmod(0o640)
    before = snapshot(path)
    yield path
    assert snapshot(path) == before


@pytest.fixture
def fake(tmp_path):
    """fake(program, script): an environment in which that is the program."""
    def fake(program, script):
        (tmp_path / "bin").mkdir(exist_ok=True)
        (tmp_path / "bin" / program).write_text(f"#!/bin/sh\n{script}\n")
        (tmp_path / "bin" / program).chmod(0o755)
        return {**os.environ, "PATH": f"{tmp_path}/bin:{os.environ['PATH']}"}

    return fake

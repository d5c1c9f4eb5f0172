"""Fixtures of the tests of the service."""

import pathlib
import shutil
import sys
import tempfile

import pytest

from callbacks import receive  # noqa: F401
from ordinary_user import SUBGID, SUBUID, UID, WAYS, prefix
from proxies import proxy  # noqa: F401
from redis_server import redis  # noqa: F401
from run_fixtures import pytest_configure, run  # noqa: F401
from sandbox_serve import SERVE, command
from serve_fixtures import (launch, no_process_is_left, policies, refused, serve, server, shared_server,  # noqa: F401
                            token)
from waiting import until


@pytest.fixture
def place():
    """A directory that every user can reach, with the programs, the policies and the root file system: for prefix()
    to mount them there."""
    directory = pathlib.Path(tempfile.mkdtemp(prefix="sandbox-serve-test-"))
    directory.chmod(0o755)
    for name in ("bin", "policies", "rootfs"):
        (directory / name).mkdir()
    users = pathlib.Path("/etc/passwd").read_text()
    (directory / "passwd").write_text(f"{users}sandbox-test:x:{UID}:{UID}::/:/bin/false\n")
    (directory / "subuid").write_text(f"somebody:1000000:65536\nsandbox-test:{SUBUID}:65536\n")
    (directory / "subgid").write_text(f"{UID}:{SUBGID}:65536\n")
    yield directory
    shutil.rmtree(directory)


@pytest.fixture
def serve_as(place, launch):
    """serve_as(way, cold=False, …) starts a service as a user without cgroups. Jobs of the policy "default" start as it
    says."""
    servers = []

    def start(way, become=None, files=("passwd", "subuid", "subgid"), cold=True, **chosen):
        chosen = {"rootfs": place / "rootfs", "policies": place / "policies", "best_effort": True,
                  "cgroup": "none", "cold": cold, **chosen}
        files = files if way == "helpers" else ()
        arguments = [*prefix(place, files), *(become or WAYS[way]), str(place / "bin" / SERVE.name),
                     *command(**chosen)[1:]]
        servers.append(launch(arguments, cwd="/"))
        server = servers[-1].listening()
        until(lambda: cold or server.run("pass", policy="default")["enforcement"]["start"] == "warm")
        return server

    yield start
    for server in servers:
        server.stop()


@pytest.fixture
def store(tmp_path):
    return f"sqlite:{tmp_path}/jobs.db"


@pytest.fixture(params=["memory", "sqlite"])
def kept(request, serve, store):
    """A service for each kind of store that one process can have."""
    return serve(jobs=2, store="memory" if request.param == "memory" else store)


@pytest.fixture
def deep_json():
    """json reads values here that are nested as deeply as a script's result can be."""
    before = sys.getrecursionlimit()
    sys.setrecursionlimit(10_000)
    yield
    sys.setrecursionlimit(before)

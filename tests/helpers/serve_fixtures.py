"""Fixtures for whatever asks sandbox-serve. A conftest.py imports those that its tests use.

Each test that configures something starts a server of its own, on a free port; the others share one. Nothing
sleeps to wait: what has an event is waited for by it, what has none is looked at again and again.
"""

import contextlib
import json
import os
import shutil
import signal

import pytest

from processes import below, describe, living, process_table
from sandbox_serve import POLICIES, Elsewhere, Server, command, options, token_command


@pytest.fixture
def launch(turn):
    """launch(command, …) starts a program as a server, and sees to its end."""
    servers = []

    def start(*arguments, **keywords):
        servers.append(Server(*arguments, **keywords))
        return servers[-1]

    yield start
    for server in servers:
        if server.process.poll() is None:
            server.kill()
            server.wait()


@pytest.fixture
def serve(request, launch):
    """serve(jobs=2, …) starts a server with these options, and returns when it listens. After the test it is
    stopped, must end well, and have left no process."""
    servers = []
    # Interpreters that wait for jobs take most of what a server takes to start.
    how = {"cold": True} if request.node.get_closest_marker("cold") else {}

    def start(env=None, prefix=(), popen=None, **chosen):
        chosen = how | chosen
        servers.append(launch([*prefix, *command(**chosen)], env, **(popen or {})))
        return servers[-1].listening()

    yield start
    for server in servers:
        server.stop()


@pytest.fixture
def refused(launch):
    """refused(…) starts a server that must not come up: the sentence with which it refuses."""
    def start(*words, **chosen):
        server = launch([*command(**chosen), *words])
        status = server.wait()
        said = [record.get("message", "") for record in server.log.records] + server.log.noise
        assert status not in (0, None) and status > 0 and said, (status, str(server.log))
        return said[-1]

    return start


shared_pids = set()  # pids of servers that outlive a test


@pytest.fixture(scope="session")
def shared_server():
    if os.environ.get("SANDBOX_SERVE_URL"):
        yield Elsewhere(os.environ["SANDBOX_SERVE_URL"])
        return
    server = Server(command(jobs=4, store="memory")).listening()
    shared_pids.add(server.pid)
    yield server
    server.stop()


@pytest.fixture
def server(shared_server):
    """A server with nothing configured, which tests share that only ask it."""
    assert isinstance(shared_server, Elsewhere) or shared_server.process.poll() is None, \
        f"the shared server has ended: {shared_server.log}"
    return shared_server


@pytest.fixture
def policies(tmp_path):
    """policies(run={"limits": {"pids": 3}}) makes a directory with the policies, changed like that; returns it.
    Called again, it writes the files again, as an editor would."""
    directory = tmp_path / "policies"
    shutil.copytree(POLICIES, directory)

    def write(**changed):
        for name, change in changed.items():
            policy = json.loads((POLICIES / f"{name}.json").read_text())
            for key, value in change.items():
                policy[key] = {**policy[key], **value} if isinstance(value, dict) else value
            (directory / f"{name}.json").write_text(json.dumps(policy))
        return directory

    return write


@pytest.fixture(autouse=True)
def no_process_is_left(turn):
    """Whatever a test did: afterwards none of its processes runs, except for the shared server and its processes."""
    yield
    table = process_table()
    ours = below(table, os.getpid()) - shared_pids - below(table, *shared_pids)
    left = living(ours)
    told = describe(left)
    for pid in left:
        with contextlib.suppress(OSError):
            os.kill(pid, signal.SIGKILL)
    for pid in ours:
        with contextlib.suppress(ChildProcessError):
            os.waitpid(pid, 0)
    assert not told, f"processes were left: {told}"


@pytest.fixture
def token(tmp_path):
    """token("name", jobs=1, …) makes one and returns its text; token.file is the file."""
    def add(name, *words, **limits):
        ran = token_command("add", name, *words, *options(tokens=add.file, **limits))
        assert ran.returncode == 0, ran
        return ran.stdout.strip().splitlines()[-1]

    add.file = tmp_path / "tokens"
    return add

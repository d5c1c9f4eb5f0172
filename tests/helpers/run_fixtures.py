"""Fixtures for whatever calls sandbox-run. A conftest.py imports those that its tests use."""

import contextlib
import json
import os
import signal
import subprocess

import pytest

from host import find_host
from processes import adopt_orphans, descendants, describe, living, reap
from sandbox_run import BINARY, Sandbox
from waiting import until


def pytest_configure(config):
    if not BINARY.exists():
        raise pytest.UsageError(f"{BINARY} is not there: build it, or set SANDBOX_RUN")
    adopt_orphans()


@pytest.fixture
def run(tmp_path):
    sandbox = Sandbox(tmp_path)
    yield sandbox
    sandbox.close()


@pytest.fixture(scope="session")
def default_policy():
    """The default policy as --print-policy shows it: every key, with the value in force."""
    printed = subprocess.run([BINARY, "--print-policy"], capture_output=True, check=True)
    return json.loads(printed.stdout)


@pytest.fixture
def policy(tmp_path, default_policy):
    """policy(limits={…}, proc="masked", …) writes a policy file, and returns its path: the default policy except for
    what is given, with time enough for the slowest host. Its caps allow the limits that are given."""
    count = iter(range(1000))

    def write(limits=None, caps=None, drop=(), **keys):
        limits = {"wall_time_ms": 600000, **(limits or {})}
        value = json.loads(json.dumps(default_policy))
        value.pop("name", None)
        for key in drop:
            value.pop(key, None)
        for key, limit in limits.items():
            value["limits"][key] = limit
            value.setdefault("caps", {})
            value["caps"][key] = max(limit, value["caps"].get(key, limit))
        value.setdefault("caps", {}).update(caps or {})
        value.update(keys)
        path = tmp_path / f"policy-{next(count)}.json"
        path.write_text(json.dumps(value))
        return path

    return write


@pytest.fixture
def host(turn, tmp_path):
    return find_host(tmp_path)


@pytest.fixture(autouse=True)
def no_process_is_left(turn, run):
    """Whatever a test did: afterwards nothing of it runs, and nobody has to clean up after it."""
    yield
    if run.close():  # killed: its job dies with it, but is not waited for
        until(lambda: not living(descendants()))
        reap()
    left = living(descendants())  # what has ended is only waiting for us
    told = describe(left)
    for pid in left:
        with contextlib.suppress(OSError):
            os.kill(pid, signal.SIGKILL)
    reap()
    assert not told, f"processes were left: {told}"

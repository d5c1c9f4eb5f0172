"""Fixtures of the tests of several nodes."""

import os
import shutil
import signal

import pytest

from lab import Cluster
from run_fixtures import pytest_configure, run  # noqa: F401
from serve_fixtures import launch, no_process_is_left, policies, token  # noqa: F401
from shared_jobs import LEASE


@pytest.fixture
def cluster(tmp_path, turn):
    """cluster(nodes=2, jobs=4, …) starts nodes, with further options of theirs, and HAProxy in front of them."""
    clusters = []
    if os.geteuid() != 0:
        pytest.skip("needs root: to make network namespaces")
    if shutil.which("haproxy", path=f"{os.environ['PATH']}:/usr/sbin") is None:
        pytest.skip("haproxy is not installed")

    def start(**chosen):
        if "redis" in chosen and shutil.which("redis-server") is None:
            pytest.skip("redis-server is not installed")
        clusters.append(Cluster(tmp_path, **chosen))
        return clusters[-1].start()

    yield start
    for each in clusters:
        each.stop()


@pytest.fixture
def shared(cluster):
    """shared(nodes=2, …): nodes that share one Redis, whose ACL must have refused nothing in the end."""
    started = []

    def start(*lines, **chosen):
        started.append(cluster(**{"redis": lines, "jobs": 2, "lease": LEASE, **chosen}))
        return started[-1]

    yield start
    for each in started:
        if each.redis.process.poll() is None:
            each.redis.signal(signal.SIGCONT)
            assert each.redis.ask("ACL", "LOG") == ""

"""The service says whether jobs can run, and does not start on a host where none can."""

import json
import os
import pathlib
import subprocess

import pytest

from waiting import until


@pytest.fixture
def rootfs(tmp_path):
    """A root file system of the test's own."""
    copy = tmp_path / "rootfs"
    subprocess.run(["cp", "-a", os.environ["SANDBOX_ROOTFS"], copy], check=True)
    return copy


def python_of(rootfs):
    record = json.loads((rootfs / "usr/lib/sandbox-run/rootfs.json").read_text())
    return (rootfs / pathlib.Path(record["python"]).relative_to("/")).resolve()


def test_where_no_job_can_run_it_does_not_begin(refused):
    said = refused(python="/usr/bin/nonesuch")
    assert "no job can run" in said and "/usr/bin/nonesuch" in said


def test_with_workers_neither(launch, refused):
    assert "worker" in refused(python="/usr/bin/nonesuch", workers=2)


def test_without_cgroups_it_begins_only_if_all_that_is_missing_is_named(serve, refused):
    names = ["memory", "cpu", "pids", "cpu_time"]
    said = refused(cgroup="none", allow_missing=",".join(names[1:]))
    assert "memory_bytes" in said and "--allow-missing memory" in said
    server = serve(cgroup="none", allow_missing=",".join(names))
    assert server.get("/health").json == {"status": "healthy"}
    assert server.run("print(1)")["enforcement"]["missing"] == names


def test_when_jobs_cannot_run_any_more_it_says_so_until_they_can(serve, rootfs):
    server = serve(rootfs=rootfs, cold=True)
    assert server.get("/health").json == {"status": "healthy"}
    python = python_of(rootfs)
    python.rename(python.with_suffix(".away"))
    until(lambda: server.get("/health").status == 503)
    answer = server.get("/health").json
    assert answer["status"] == "unhealthy" and "exec" in answer["error"]
    failed = server.post("/run", {"code": "print(1)"})
    assert failed.status == 500 and failed.json["verdict"] == "internal"
    python.with_suffix(".away").rename(python)
    until(lambda: server.get("/health").status == 200)
    assert any("no job can run" in record.get("message", "") for record in server.log.records)


def test_what_goes_wrong_with_a_clients_job_is_not_the_services_health(serve, policies, tmp_path):
    """A policy whose mount has gone: its jobs fail inside, and no other does."""
    mounted = tmp_path / "mounted"
    mounted.mkdir()
    policies(run_code={"mounts": [{"source": str(mounted), "target": "/mnt"}], "start": "cold"})
    server = serve(policies=tmp_path / "policies")
    assert server.post("/run_code", {"code": "print(1)"}).json["output"] == "1"
    mounted.rmdir()
    for _ in range(3):
        failed = server.post("/run", {"code": "print(1)", "policy": "run_code"})
        assert failed.status == 500 and failed.json["verdict"] == "internal"
        assert server.get("/health").json == {"status": "healthy"}
        assert server.run("print(1)")["output"] == "1"

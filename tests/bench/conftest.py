"""What the tests of the benchmark share. From the environment: SANDBOX_RUN, SANDBOX_ROOTFS, SANDBOX_ROOTFS_DATA."""

import json
import os
import pathlib
import subprocess
import sys

import pytest

HERE = pathlib.Path(__file__).resolve().parent

sys.dont_write_bytecode = True
sys.path.insert(0, str(HERE))
import measure


@pytest.fixture(scope="session")
def helpers(build):
    """Where the benchmark itself has them: compiled once."""
    return measure.compile_helpers(build / "bench")


@pytest.fixture(scope="session")
def build():
    """The directory of the programs."""
    found = pathlib.Path(os.environ.get("SANDBOX_RUN") or HERE.parents[1] / "build" / "sandbox-run").absolute().parent
    for program in ("sandbox-run", "sandbox-serve"):
        if not (found / program).exists():
            pytest.skip(f"{program} is not built")
    return found


@pytest.fixture
def bench(build, tmp_path):
    """Calls the benchmark with --quick; gives what it said and its figures."""
    if os.geteuid() != 0:
        pytest.skip("root is needed for chroot")
    if not os.environ.get("SANDBOX_ROOTFS"):
        pytest.skip("SANDBOX_ROOTFS names no root file system")

    def call(*options, build=build):
        figures = tmp_path / "bench.json"
        said = subprocess.run([HERE / "bench", "--quick", "--build", build, "--json", figures, *options],
                              capture_output=True, text=True, check=False)
        return said, json.loads(figures.read_text()) if figures.exists() else None

    return call


@pytest.fixture
def pretended(build, helpers, tmp_path):
    """A build in which one program is a script: pretended(program, its line of shell). {real} in it is the program."""
    copy = tmp_path / "build"

    def make(program, line):
        copy.mkdir()
        for name in ("policies", "bench", "sandbox-run", "sandbox-serve"):
            if name != program:
                (copy / name).symlink_to(build / name)
        (copy / program).write_text(f"#!/bin/sh\n{line.format(real=build / program)}\n", encoding="utf-8")
        (copy / program).chmod(0o755)
        return copy

    return make

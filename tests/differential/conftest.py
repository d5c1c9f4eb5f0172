"""Around the differential tests: services are started as the tests of the service do it."""

import json
import os

import pytest

import doors as the_doors
import programs
from reference import Plain
from run_fixtures import pytest_configure  # noqa: F401
from sandbox_run import rootfs_path
from sandbox_serve import POLICIES

collect_ignore = ["programs"]
POLICY = json.loads((POLICIES / "default.json").read_text())


def plain_python():
    try:
        return Plain(rootfs_path(), POLICY["environment"])
    except FileNotFoundError as error:
        raise pytest.UsageError(f"no root file system: {error}; set SANDBOX_ROOTFS") from None


def pytest_generate_tests(metafunc):
    if "door" not in metafunc.fixturenames:
        return
    version = plain_python().version
    doors = the_doors.open_doors()
    fitting = [each for each in programs.everything().values() if programs.fits(each.python, version)]
    cases = [(program, door) for program in fitting for door in the_doors.doors_of(program, doors)]
    metafunc.parametrize("program, door", cases, ids=[f"{program.id}-{door}" for program, door in cases])


@pytest.fixture(scope="session")
def doors(tmp_path_factory):
    policies = the_doors.make_policies(tmp_path_factory.mktemp("policies") / "policies")
    services = the_doors.start_services(policies)
    yield the_doors.open_doors(policies, *services)
    for service in services:
        service.stop()


@pytest.fixture(scope="session")
def reference():
    """reference(program) is what plain python3 made of it, which is asked once; reference.version is python's."""
    if os.geteuid() != 0:
        pytest.skip("needs root: the other side of the comparison is a chroot with mounts")
    plain, known = plain_python(), {}

    def get(program):
        if program.id not in known:
            known[program.id] = plain.run(program)
        return known[program.id]

    get.version = plain.version
    return get

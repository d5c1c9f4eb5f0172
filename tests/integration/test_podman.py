"""The service in a container, as src/deploy/README.md has it run, by Podman on cgroup v2, as root and as an ordinary user.
Only in the virtual machine (tests/vm/run --modes container), beside the image of src/deploy/Containerfile."""

import json
import os
import pathlib
import re
import shlex
import shutil
import subprocess

import pytest

from kernel import OF_THE_ENTRY, USER_MODE_LINUX
from sandbox_run import CHECKOUT
from waiting import until

pytestmark = [
    pytest.mark.vm("container"),
    pytest.mark.alone,  # one port
]

DEPLOY = CHECKOUT / "src/deploy"
URL = "http://127.0.0.1:8000"


@pytest.fixture(autouse=True)
def no_process_is_left(turn):
    """Containers, and a process of podman's own, outlive the commands that start them; they end with the machine."""


def documented():
    """The two commands of the README: (makes a token, starts the service)."""
    section = (DEPLOY / "README.md").read_text().split("\n## Podman\n")[1]
    block = re.search(r"^```sh\n(.*?)^```", section, re.M | re.S)[1].replace("\\\n", " ")
    token, service = block.splitlines()
    # The machine has no network of containers. With the host's, podman would show an ordinary user's container the host's
    # /sys, and in it cgroups that are not the container's.
    service, changed = re.subn(r"--publish \S+:8000 ", "--network none ", service)
    assert changed == 1
    return token, service


class Podman:
    """Podman as root, or as the user `tester`, in a directory with what the README names."""

    def __init__(self, user, directory):
        self.user, self.directory = user, directory
        directory.mkdir()
        shutil.copy(DEPLOY / "sandbox-run-seccomp.json", directory)
        if user != "root":
            shutil.chown(directory, user, user)

    def shell(self, command, check=True):
        # A session as login makes it, whose systemd delegates cgroups.
        ran = subprocess.run(["su", "--login", self.user, "--shell", "/bin/bash", "-c",
                              f"cd {shlex.quote(str(self.directory))} && {command}"],
                             capture_output=True, text=True, stdin=subprocess.DEVNULL)
        assert not check or ran.returncode == 0, ran
        return ran

    def program(self, *options, check=True):
        """sandbox-run instead of the service, in a container with the same options."""
        words = shlex.split(documented()[1].replace('"$PWD', f'"{self.directory}'))
        name = words.index("--name")
        del words[name:name + 2]
        words.remove("--detach")
        assert words.pop() == "sandbox-run"
        return self.shell(shlex.join([*words, "--rm", "--entrypoint", "sandbox-run", "sandbox-run", *options]), check)


    def answer(self, path, token=None, **body):
        """(status, JSON), from within the container's network; None while nobody listens."""
        pid = self.shell("podman inspect --format '{{.State.Pid}}' sandbox-run").stdout.strip()
        more = ["--header", f"Authorization: Bearer {token}"] if token else []
        more += ["--json", json.dumps(body)] if body else []
        ran = subprocess.run(["nsenter", "--target", pid, "--net", "curl", "--silent", "--write-out", "\n%{http_code}",
                              *more, URL + path], capture_output=True, text=True)
        if ran.returncode != 0:
            return None
        text, _, status = ran.stdout.rpartition("\n")
        return int(status), json.loads(text)


@pytest.fixture(scope="module")
def place():
    directory = pathlib.Path("/var/tmp/sandbox-run-containers")  # which both users can reach
    directory.mkdir(mode=0o755)
    yield directory
    shutil.rmtree(directory)


@pytest.fixture(scope="module", params=["root", "tester"])
def podman(request, place):
    podman = Podman(request.param, place / request.param)
    podman.token = podman.shell(documented()[0]).stdout.strip()
    return podman


@pytest.fixture(scope="module")
def service(podman):
    """One for all tests of a user: a start takes the emulated machine half a minute. The last test stops it."""
    podman.shell(documented()[1])
    try:
        until(lambda: (podman.answer("/health") or (0,))[0] == 200)
        yield podman
    finally:
        print(podman.shell("podman logs sandbox-run", check=False))
        podman.shell("podman rm --force --time 0 sandbox-run", check=False)


def test_everything_can_be_enforced(podman):
    ran = podman.program("--doctor", "--json", check=False)
    found = json.loads(ran.stdout)["findings"]
    absent = ["policy data", *(["Landlock"] if USER_MODE_LINUX else [])]
    wrong = [f"{each['name']}: {each['detail']}" for each in found if not each["ok"] and each["name"] not in absent]
    assert not wrong and ran.returncode == 0, "\n".join(wrong)


def test_hostile_scripts_are_contained(podman):
    ran = podman.program("--selftest", "--start", "warm", check=False)
    others = re.findall(r"^(?!CONTAINED|SKIPPED)[A-Z]+ +(\w+):", ran.stdout, re.M)
    assert ran.stdout.count("CONTAINED") > 160, ran.stdout + ran.stderr
    assert set(others) <= (OF_THE_ENTRY if USER_MODE_LINUX else set()), ran.stdout


def test_jobs_start_warm_and_nothing_is_missing(service):
    def ran():
        return service.answer("/run", service.token, code="print(6 * 7)")[1]
    until(lambda: ran()["enforcement"]["start"] == "warm")
    verdict = ran()
    assert verdict["output"] == "42" and verdict["enforcement"]["missing"] == []
    assert verdict["enforcement"]["cgroup"].startswith("v2")


def test_nobody_is_served_without_a_token(service):
    assert service.answer("/run", code="print(1)")[0] == 401


def test_podman_sees_that_it_is_healthy(service):
    service.shell("podman healthcheck run sandbox-run")


def test_the_service_has_no_more_than_the_readme_gives_it(service):
    status = service.shell("podman exec sandbox-run cat /proc/1/status").stdout
    fields = dict(line.split(":\t", 1) for line in status.splitlines() if ":\t" in line)
    chown, setgid, setuid = 0, 6, 7  # linux/capability.h
    assert int(fields["CapPrm"], 16) & ~(1 << chown | 1 << setgid | 1 << setuid) == 0
    assert fields["NoNewPrivs"] == "1" and fields["Seccomp"] == "2"
    assert service.shell("podman exec sandbox-run touch /new", check=False).returncode != 0


def test_stopping_the_container_ends_the_service_by_its_own_will(service):
    service.shell("podman stop sandbox-run")
    assert service.shell("podman inspect --format '{{.State.ExitCode}}' sandbox-run").stdout == "0\n"

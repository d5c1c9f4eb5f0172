"""./dev, as a newcomer uses it."""

import json
import os
import re
import subprocess

import pytest

from sandbox_run import CHECKOUT

pytestmark = pytest.mark.cold


def dev(*arguments, **variables):
    return subprocess.run([CHECKOUT / "dev", *arguments], stdin=subprocess.DEVNULL, capture_output=True, text=True,
                          env=os.environ | variables)


@pytest.mark.parametrize("arguments", [["--help"], ["test", "--help"], ["bench", "--help"], ["lint", "--help"]])
def test_asking_what_there_is_builds_nothing(arguments, tmp_path):
    ran = dev(*arguments, XDG_CACHE_HOME=str(tmp_path))
    assert (ran.returncode, ran.stderr, os.listdir(tmp_path)) == (0, "", [])
    assert ran.stdout.startswith("usage: ")


def test_a_verb_that_there_is_not_is_answered_with_those_there_are():
    ran = dev("brew")
    assert (ran.returncode, ran.stdout) == (2, "") and ran.stderr.startswith("usage: ./dev run")


def test_building_writes_nothing_to_standard_output():
    """Else it would stand before what the script of ./dev run writes."""
    ran = dev("build")
    assert (ran.returncode, ran.stdout) == (0, "")


@pytest.mark.parametrize("how", ["as it is", "by a link", "by its name"])
def test_files_on_the_line_are_looked_for_where_dev_is_called(how, tmp_path):
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/dev").symlink_to(CHECKOUT / "dev")
    (tmp_path / "rel.py").write_text("import helper, sys\nprint(sys.argv[0], helper.VALUE)\n")
    (tmp_path / "helper.py").write_text("VALUE = 42\n")
    program = {"as it is": CHECKOUT / "dev", "by a link": tmp_path / "bin/dev", "by its name": "dev"}[how]
    ran = subprocess.run([program, "run", "--files", "helper.py", "rel.py"], cwd=tmp_path, stdin=subprocess.DEVNULL,
                         capture_output=True, text=True, env=os.environ | {"PATH": f"{tmp_path}/bin:{os.environ['PATH']}"})
    assert (ran.returncode, ran.stdout) == (0, "rel.py 42\n"), ran


def test_what_dev_installs_is_enough_to_build(tmp_path):
    """Libraries of the packages that ./dev run installs are found, all others are not there."""
    packages = re.search(r"^build_packages=\(([^)]*)\)", (CHECKOUT / "dev").read_text(), re.M)[1].split()
    found = subprocess.run(["dpkg", "-L", *packages], capture_output=True, text=True, check=True).stdout
    for path in re.findall(r".*/pkgconfig/.*\.pc$", found, re.M):
        (tmp_path / os.path.basename(path)).symlink_to(path)
    cmake = tmp_path / "cmake"  # which would find what pkg-config does not
    cmake.write_text("#!/bin/sh\nexit 1\n")
    cmake.chmod(0o755)
    made = subprocess.run(["meson", "setup", tmp_path / "build", CHECKOUT], capture_output=True, text=True, env={
        **os.environ, "PKG_CONFIG_LIBDIR": str(tmp_path), "PATH": f"{tmp_path}:{os.environ['PATH']}"})
    assert made.returncode == 0, made.stdout
    targets = subprocess.run(["meson", "introspect", "--targets", tmp_path / "build"], capture_output=True, text=True,
                             check=True).stdout
    # Their header may well be there: that they are not to be built is what shows.
    assert [target["name"] for target in json.loads(targets) if "/tests/unit/" in json.dumps(target)] == []


@pytest.mark.parametrize("part", ["unit", "http", "attack"])
def test_dev_installs_all_that_the_build_of_a_part_of_the_tests_is_linked_with(tmp_path, part):
    """On a machine where nothing is installed yet; the build ends before it begins."""
    asked = tmp_path / "asked"
    for tool, does in {"dpkg-query": "exit 1", "apt-get": f'echo "$@" >>{asked}', "meson": "exit 1",
                       "ninja": 'case "$*" in *query*) exit 0 ;; esac; exit 1', "sudo": 'exec "$@"'}.items():
        (tmp_path / tool).write_text(f"#!/bin/sh\n{does}\n")
        (tmp_path / tool).chmod(0o755)
    assert dev("test", part, PATH=f"{tmp_path}:{os.environ['PATH']}").returncode == 1
    wanted = {f"lib{name}-dev" for name in ("seccomp", "json-c", "microhttpd", "gnutls28", "cap", "systemd", "cmocka")}
    assert wanted - set(asked.read_text().split()) == set()

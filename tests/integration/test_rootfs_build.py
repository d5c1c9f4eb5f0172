"""sandbox-rootfs build. Building needs the internet: most tests check the root file system that was built
(SANDBOX_ROOTFS)."""

import json
import os
import subprocess

import pytest

from rootfs_images import HOME, ROOTFS_DIR, library_name, needs_record, needs_tools
from sandbox_run import rootfs_path

pytestmark = needs_record


def test_what_build_made_is_in_order(rootfs):
    rootfs.target = rootfs_path()
    assert rootfs.faults(status=0) == []


def test_what_build_made_has_places_for_mounts():
    assert [os.listdir(rootfs_path() / name) for name in ("mnt", "opt")] == [[], []]


def test_what_build_made_compiles_nothing_when_python_starts():
    """Every .py of the library that can be compiled has its .pyc, which is never checked again."""
    library = rootfs_path() / "usr/lib" / library_name()
    for name in ("os", "json/__init__", "asyncio/base_events"):
        path = library / f"{name}.py"
        [cached] = (path.parent / "__pycache__").glob(f"{path.stem}.cpython-*.pyc")
        assert cached.read_bytes()[4:8] == b"\1\0\0\0", "an unchecked hash, no time stamp"


def test_what_build_made_has_no_start_up_hooks():
    found = [path for path in (rootfs_path() / "usr/lib").rglob("*.pth")]
    found += list((rootfs_path() / "usr/lib").glob("python3.*/sitecustomize.py"))
    assert found == []


def test_what_build_made_is_found_as_python_too(run):
    ran = run(code="import subprocess; print(subprocess.run(['python', '-c', 'import sys; print(*sys.version_info[:2])'],"
                   " capture_output=True, text=True, check=True).stdout, flush=True)\n"
                   "subprocess.run('python -V && env python -V', shell=True, check=True)")
    version = json.loads((rootfs_path() / HOME / "rootfs.json").read_text())["version"]
    assert (ran.status, ran.stdout.split()[:2]) == (0, version.split(".")[:2]), ran
    assert ran.stdout.count(f"Python {version}\n") == 2


# name: (section, depends on, provides, files)
PACKAGES = {
    "python3": ("python", [], [], []),
    "python3-science": ("python", ["libmath1 (>= 1.0)", "compiler", "dpkg | other"], [],
                        ["science.py", "shared"]),
    "libmath1": ("libs", ["virtual-fast"], ["libmath.so.1 (= 1)"], ["libmath"]),
    "libfast1": ("libs", [], ["virtual-fast"], ["libfast"]),
    "compiler": ("devel", ["math-dev", "libmath1:any"], [], ["cc"]),
    "math-dev": ("libdevel", [], [], ["math.h"]),
    "dpkg": ("admin", [], [], ["dpkg", "shared"]),
}


@needs_tools
@pytest.mark.parametrize("named, kept", [
    ("python3-science", {"science.py", "shared", "libmath", "libfast"}),
    ("compiler", {"cc", "math.h", "libmath", "libfast"}),
])
def test_build_keeps_what_the_named_packages_need_to_run(taken, named, kept):
    """A compiler that a library merely depends on goes; one that is named stays, and its headers."""
    database = taken.target / "var/lib/dpkg"
    (database / "info").mkdir(parents=True)
    status = ""
    for name, (section, depends, provides, files) in PACKAGES.items():
        status += (f"Package: {name}\nStatus: install ok installed\nSection: {section}\n"
                   f"Depends: {', '.join(depends)}\nProvides: {', '.join(provides)}\n\n")
        lines = ["/.", "/usr", *(f"/usr/lib/{file}" for file in files)]
        (database / "info" / f"{name}.list").write_text("".join(f"{line}\n" for line in lines))
        for file in files:
            (taken.target / "usr/lib" / file).write_text(name)
    (database / "status").write_text(status)
    subprocess.run(["/usr/bin/python3", "-I", "-B", ROOTFS_DIR / "tree.py", "debian", taken.target,
                    named], check=True)
    every = {file for *_, files in PACKAGES.values() for file in files}
    assert every & set(os.listdir(taken.target / "usr/lib")) == kept
    status = (database / "status").read_text()
    assert f"Package: {named}\n" in status and "Package: dpkg\n" not in status

"""sandbox-rootfs check and refresh: every fault of a tree is found, and an older tree is renewed."""

import json
import os
import re
import shutil
import socket
import subprocess

import pytest

from rootfs_images import HOME, PROGRAM, ROOTFS_DIR, library_name, needs_record, needs_root, needs_tools

pytestmark = needs_record


# ── check ────────────────────────────────────────────────────────────────────────────────────────


def edit_record(target, **changes):
    path = target / HOME / "rootfs.json"
    record = {**json.loads(path.read_text()), **changes}
    path.write_text(json.dumps({key: value for key, value in record.items() if value is not None}))


def other_runner(target, text=None):
    path = target / HOME / "runner.py"
    source = re.sub("(?m)^PROTOCOL = .*$", text, path.read_text())
    path.write_text(source)


FAULTS = {
    "no record": (lambda root: (root / HOME / "rootfs.json").unlink(), "record"),
    "record no JSON": (lambda root: (root / HOME / "rootfs.json").write_text("{"), "record"),
    "record deep": (lambda root: (root / HOME / "rootfs.json").write_text("[" * 60000), "record"),
    "record a FIFO": (lambda root: ((root / HOME / "rootfs.json").unlink(),
                                    os.mkfifo(root / HOME / "rootfs.json")), "record"),
    "record a link": (lambda root: ((root / HOME / "rootfs.json").rename(root.parent / "aside"),
                                    (root / HOME / "rootfs.json").symlink_to("/etc/passwd")),
                      "record"),
    "record lacks a key": (lambda root: edit_record(root, digest=None), "record"),
    "record has a key more": (lambda root: edit_record(root, more=1), "record"),
    "record of wrong type": (lambda root: edit_record(root, runner="1"), "record"),
    "record of another format": (lambda root: edit_record(root, format=2), "record"),
    "wrong digest": (lambda root: edit_record(root, digest="sha256:" + "0" * 64), "digest"),
    "file changed": (lambda root: (root / "etc/hosts").write_text("changed"), "digest"),
    "file more": (lambda root: (root / "more").write_text(""), "digest"),
    "file less": (lambda root: (root / "etc/hosts").unlink(), "digest"),
    "link changed": (lambda root: ((root / "bin").unlink(),
                                   (root / "bin").symlink_to("usr/bin/.")), "digest"),
    "mode changed": (lambda root: (root / "etc/hosts").chmod(0o444), "digest"),
    "another python": (lambda root: edit_record(root, python="/usr/bin/none"), "python"),
    "python by a link": (lambda root: edit_record(root, python="/usr/bin/python3"), "python"),
    "another version": (lambda root: edit_record(root, version="3.9.1"), "python"),
    "python no program": (lambda root: python_of(root).chmod(0o644), "python"),
    "python does not start": (lambda root: python_of(root).write_bytes(b"\x7fELF"), "python"),
    "python fails": (lambda root: python_of(root).write_bytes(b"#!/nowhere\n"), "python"),
    "no mount point": (lambda root: (root / "work").rmdir(), "place"),
    "mount point not empty": (lambda root: (root / "tmp/file").write_text(""), "place"),
    "dev lacks a file": (lambda root: (root / "dev/null").unlink(), "place"),
    "dev has more": (lambda root: (root / "dev/sda").write_text(""), "place"),
    "dev has a link for a file": (lambda root: ((root / "dev/zero").unlink(),
                                                (root / "dev/zero").symlink_to("null")), "place"),
    "dev has a file for a link": (lambda root: ((root / "dev/fd").unlink(),
                                                (root / "dev/fd").write_text("")), "place"),
    "mount point a link": (lambda root: ((root / "proc").rmdir(),
                                         (root / "proc").symlink_to("usr")), "place"),
    "sys not empty": (lambda root: (root / "sys/kernel").mkdir(parents=True), "place"),
    "set-user-ID": (lambda root: python_of(root).chmod(0o4755), "setid"),
    "set-group-ID": (lambda root: (root / "usr").chmod(0o2755), "setid"),
    "group-writable": (lambda root: (root / "etc/hosts").chmod(0o664), "writable"),
    "other-writable": (lambda root: (root / "etc").chmod(0o757), "writable"),
    "top other-writable": (lambda root: root.chmod(0o757), "writable"),
    "unreadable file": (lambda root: (root / "etc/hosts").chmod(0o600), "unreadable"),
    "unreadable directory": (lambda root: (root / "etc").chmod(0o700), "unreadable"),
    "FIFO": (lambda root: os.mkfifo(root / "fifo"), "device"),
    "socket": (lambda root: bind_socket(root), "device"),
    "no runner": (lambda root: (root / HOME / "runner.py").unlink(), "runner"),
    "no runner.pyc": (lambda root: (root / HOME / "runner.pyc").unlink(), "runner"),
    "no notebook.pyc": (lambda root: (root / HOME / "notebook.pyc").unlink(), "runner"),
    "stale notebook.pyc": (lambda root: (root / HOME / "notebook.py").write_text("# other\n"), "runner"),
    "stale runner.pyc": (lambda root: (root / HOME / "runner.py").write_text(
        (root / HOME / "runner.py").read_text() + "# more\n"), "runner"),
    "runner without protocol": (lambda root: other_runner(root, ""), "runner"),
    "runner of another protocol": (lambda root: other_runner(root, "PROTOCOL = 99"), "protocol"),
    "record of another protocol": (lambda root: edit_record(root, runner=99), "protocol"),
}
ROOTS_FAULTS = {
    "device": (lambda root: os.mknod(root / "null", 0o20644, os.makedev(1, 3)), "device"),
    "another owner": (lambda root: os.chown(root / "etc/hosts", 1000, 1000), "owner"),
    "owned by another": (lambda root: os.chown(root, 1000, 1000), "owner"),
    "capability": (lambda root: os.setxattr(
        python_of(root), "security.capability",
        b"\x01\x00\x00\x02\x00\x20\x00\x00" + b"\x00" * 12), "capability"),
}


def python_of(root):
    return (root / "usr/bin/python3").resolve()


def bind_socket(root):
    with socket.socket(socket.AF_UNIX) as made:
        here = os.open(root, os.O_PATH)
        made.bind(f"/proc/self/fd/{here}/socket")  # the path may be too long for a socket's
        os.close(here)


@needs_tools
@pytest.mark.parametrize("name", [
    *FAULTS, *(pytest.param(name, marks=needs_root) for name in ROOTS_FAULTS)])
def test_check_finds(taken, name):
    do, fault = {**FAULTS, **ROOTS_FAULTS}[name]
    do(taken.target)
    told = taken("check", taken.target, status=1)
    assert f"({fault})" in told.stdout and "sandbox-rootfs" in told.stderr


@needs_tools
def test_check_finds_nothing_where_nothing_is(taken):
    assert taken.faults(status=0) == []
    told = taken("check", taken.target)
    assert told.stdout.startswith(f"{taken.target} is in order: python 3.") and told.stderr == ""


@needs_tools
def test_check_says_the_path_of_each_fault_on_a_line_of_its_own(taken):
    (taken.target / "a\nb\x1b[2J").write_text("")
    (taken.target / "a\nb\x1b[2J").chmod(0o666)
    (taken.target / "etc/hosts").chmod(0o666)
    lines = taken("check", taken.target, status=1).stdout.splitlines()
    assert "/a?b?[2J can be written by users other than its owner (writable)" in lines
    assert "/etc/hosts can be written by users other than its owner (writable)" in lines
    assert len(lines) == 3, lines  # and the digest
    together = subprocess.run([PROGRAM, "check", taken.target], stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True).stdout
    assert together.splitlines()[-1].startswith("sandbox-rootfs: make it again"), together


@needs_tools
def test_check_survives_a_python_that_answers_for_ever(taken):
    """The answer is cut, and taken for nonsense."""
    library = taken.target / "usr/lib" / library_name()
    (library / "sitecustomize.py").write_text(
        "import os\nfor _ in range(200):\n    os.write(1, b'{' * 65536)\n")
    assert "python" in {word for word, _ in taken.faults()}


# ── refresh ──────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def next_version(tmp_path):
    """sandbox-rootfs of a version whose runner speaks another protocol."""
    copy = tmp_path / "next"
    shutil.copytree(ROOTFS_DIR, copy, ignore=shutil.ignore_patterns("__pycache__"))
    runner = copy / "runner.py"
    runner.write_text(re.sub("(?m)^PROTOCOL = .*$", "PROTOCOL = 77", runner.read_text()))
    return copy / "sandbox-rootfs"


@needs_tools
def test_refresh_puts_in_the_new_runner_and_record(taken, next_version):
    before = taken.record
    told = taken("check", taken.target, status=1, program=next_version)
    assert "(protocol)" in told.stdout and "sandbox-rootfs refresh" in told.stderr
    taken("refresh", taken.target, program=next_version)
    taken("check", taken.target, program=next_version)
    after = taken.record
    assert after["runner"] == 77 and after["digest"] != before["digest"]
    assert {**before, "runner": 0, "digest": ""} == {**after, "runner": 0, "digest": ""}
    taken("refresh", taken.target)
    assert taken.record == before and taken.faults(status=0) == []
    assert taken.left() == ["rootfs"]
    assert sorted(os.listdir(taken.target / "usr/lib")) == sorted(
        {*os.listdir(taken.target / "usr/lib")} - {".sandbox-run.new"})


@needs_tools
def test_refresh_gives_an_older_tree_the_name_python(taken):
    """It was made before there was one, so the record is of a tree without."""
    (taken.target / "usr/bin/python").unlink()
    record = (taken.target / HOME / "rootfs.json").read_text()
    lines = subprocess.run(["/usr/bin/python3", "-I", "-c",
                            "import sys\n"
                            "sys.path.insert(0, sys.argv[1])\n"
                            "import nofollow, record\n"
                            "print(record.digest_of(record.lines_of(nofollow.open_tree(sys.argv[2]))))",
                            ROOTFS_DIR, taken.target], capture_output=True, text=True, check=True).stdout
    older = json.dumps({**json.loads(record), "digest": lines.strip()}) + "\n"
    (taken.target / HOME / "rootfs.json").write_text(older)
    assert taken.faults() == [("name", "usr/bin/python")]
    assert "sandbox-rootfs refresh" in taken("check", taken.target, status=1).stderr
    taken("refresh", taken.target)
    assert taken.faults(status=0) == []
    assert (taken.target / HOME / "rootfs.json").read_text() == record
    taken("refresh", taken.target)  # and that is all: nothing is left to do
    assert (taken.target / HOME / "rootfs.json").read_text() == record


@needs_tools
def test_refresh_does_not_whitewash_a_changed_tree(taken):
    (taken.target / "etc/hosts").write_text("changed")
    refused = taken("refresh", taken.target, status=1)
    assert "has been changed since it was made" in refused.stderr
    assert "digest" in {word for word, _ in taken.faults()}
    taken("refresh", "--force", taken.target)
    assert taken.faults(status=0) == []


@needs_tools
def test_refresh_follows_no_link(taken, canary):
    home = taken.target / HOME
    shutil.copytree(home, taken.target / "usr/lib/elsewhere")
    shutil.rmtree(home)
    home.symlink_to(canary)
    taken("refresh", taken.target, status=1)
    shutil.rmtree(taken.target / "usr/lib")
    (taken.target / "usr/lib").symlink_to(canary)
    taken("refresh", "--force", taken.target, status=1)


def test_refresh_of_something_else_is_refused(rootfs, canary):
    assert "not a directory" in rootfs("refresh", rootfs.target, status=1).stderr
    assert "make the root file system again" in rootfs("refresh", canary, status=1).stderr

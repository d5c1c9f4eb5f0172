"""sandbox-rootfs import: every form of image, and what a hostile image can do about it."""

import contextlib
import json
import os
import pathlib
import re
import shutil
import socket
import subprocess
import tarfile

import pytest

from rootfs_images import (HOME, PROGRAM, ROOTFS_DIR, Image, directory, entry, library_name, needs_record,
                           needs_tools, symlink)
from sandbox_run import BINARY, rootfs_path

pytestmark = needs_record


# ── The forms of an image ────────────────────────────────────────────────────────────────────────


@needs_tools
@pytest.mark.parametrize("form, source", [
    (Image.layout, "oci:layout"),
    (Image.oci_archive, "oci-archive:image-oci.bin"),
    (Image.docker_save, "docker-archive:image-docker.bin"),
    (lambda made: made.docker_save(compressed=True), "docker-archive:image-docker.bin"),
    (lambda made: f"docker-archive:{made.docker_save()}:test:latest",
     "docker-archive:image-docker.bin:test:latest"),
], ids=["OCI layout", "OCI archive", "docker save", "docker save, gzipped", "skopeo's own name"])
def test_import_takes_every_form_of_image(rootfs, image, form, source):
    rootfs.take(form(image()))
    assert rootfs.record["source"] == source
    assert rootfs.faults(status=0) == []


@needs_tools
def test_import_takes_an_image_from_a_registry(rootfs, image):
    with registry(rootfs.place.parent / "registry") as address:
        subprocess.run(["skopeo", "copy", "-q", "--dest-tls-verify=false", f"oci:{image().layout()}",
                        f"docker://{address}/team/python:3.11-tiny"], check=True)
        source = f"docker://{address}/team/python:3.11-tiny"
        refused = rootfs.take(source, status=1)
        assert "--insecure" in refused.stderr and rootfs.left() == []
        rootfs.take(source, "--insecure")
    assert rootfs.record["source"] == source
    assert rootfs.faults(status=0) == []


@contextlib.contextmanager
def registry(directory):
    """Debian's docker-registry on a loopback port, plain http."""
    program = shutil.which("docker-registry")
    if not program:
        pytest.skip("docker-registry is not installed: apt install docker-registry")
    directory.mkdir()
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{probe.getsockname()[1]}"
    (directory / "config.yml").write_text(json.dumps({
        "version": 0.1, "log": {"level": "info"}, "http": {"addr": address},
        "storage": {"filesystem": {"rootdirectory": str(directory / "store")}}}))
    process = subprocess.Popen([program, "serve", directory / "config.yml"], text=True,
                               stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    try:
        seen = []
        for line in process.stderr:
            seen.append(line)
            if "listening on" in line:
                break
        assert process.poll() is None, seen
        yield address
    finally:
        process.terminate()
        process.communicate()


@needs_tools
def test_import_finds_an_interpreter_elsewhere_when_told(rootfs, image):
    image = image(entry("opt/own/python", tarfile.LNKTYPE, link="usr/bin/python3.11", mode=0o755)
                  if "3.11" in os.readlink(rootfs_path() / "usr/bin/python3") else directory("opt"))
    rootfs.take(image.layout(), "--python", "/opt/own/python")
    assert rootfs.record["python"] == "/opt/own/python"


@needs_tools
def test_import_gives_the_interpreter_the_name_python(taken):
    interpreter = pathlib.Path(taken.record["python"])
    assert os.readlink(taken.target / "usr/bin/python") == interpreter.name
    assert taken.faults(status=0) == []


@needs_tools
@pytest.mark.parametrize("own", [
    [symlink("usr/local/bin/python", "python3.9")], [symlink("usr/bin/python", "../../somewhere/else")],
    [entry("usr/bin/python", data=b"#!/bin/sh\n", mode=0o755)], [directory("usr/bin/python")],
], ids=["elsewhere", "a link", "a program", "a directory"])
def test_import_leaves_an_images_own_python_alone(rootfs, image, own):
    rootfs.take(image(*own).layout())
    [(info, data)] = own
    found = [path for place in ("usr/local/bin", "usr/bin") if os.path.lexists(path := rootfs.target / place / "python")]
    assert found == [rootfs.target / info.name]
    kept = found[0]
    assert os.readlink(kept) == info.linkname if info.issym() else kept.is_dir() or kept.read_bytes() == data
    assert rootfs.faults(status=0) == []


@needs_tools
def test_an_imported_root_file_system_has_what_jobs_need(taken):
    for name in ("proc", "tmp", "work"):
        assert os.listdir(taken.target / name) == []
    for name in ("null", "zero", "full", "random", "urandom"):
        assert (taken.target / "dev" / name).is_file(), "jobs have the host's bound over it"
    etc = taken.target / "etc"
    assert "sandbox:x:1000:1000:sandbox:/work:" in (etc / "passwd").read_text()
    assert "sandbox:x:1000:" in (etc / "group").read_text()
    assert (etc / "resolv.conf").read_text() == ""
    assert (etc / "hostname").read_text() == "sandbox\n"
    assert "127.0.0.1 localhost" in (etc / "hosts").read_text()
    assert "hosts: files" in (etc / "nsswitch.conf").read_text()
    assert sorted(os.listdir(taken.target / HOME)) == [
        "notebook.py", "notebook.pyc", "rootfs.json", "runner.py", "runner.pyc"]


@needs_tools
def test_the_same_image_gives_the_same_digest(rootfs, image):
    source = image().layout()
    digests = []
    for _ in range(2):
        rootfs.take(source, "--force")
        digests.append(rootfs.record["digest"])
    assert digests[0] == digests[1] and re.fullmatch("sha256:[0-9a-f]{64}", digests[0])


@needs_tools
def test_a_script_runs_in_an_imported_root_file_system(taken, run):
    if not BINARY.exists():
        pytest.skip(f"{BINARY} is not built")
    ran = run("--rootfs", taken.target, json=True,
              code="import sys; print(sys.version_info[:2], sys._getframe().f_code.co_filename)")
    major, minor, _ = taken.record["version"].split(".")
    assert ran.verdict["output"] == f"({major}, {minor}) <string>", ran


@needs_tools
def test_an_ordinary_user_can_import(tmp_path_factory, image):
    if os.geteuid() != 0:
        pytest.skip("every test of this run is an ordinary user's")
    user = 12345
    place = pathlib.Path(subprocess.run(["mktemp", "-d", "/tmp/sandbox-run-test-XXXXXX"], check=True,
                                        capture_output=True, text=True).stdout.strip())
    try:
        shutil.copytree(image().layout(), place / "layout")
        shutil.copytree(ROOTFS_DIR, place / "rootfs", ignore=shutil.ignore_patterns("__pycache__"))
        # Where the checkout has what its build has made.
        shutil.copytree(os.environ["SANDBOX_POLICIES"], place / "build/policies")
        for path in [place, *place.rglob("*")]:
            os.chown(path, user, user)
        ran = subprocess.run(
            ["setpriv", f"--reuid={user}", f"--regid={user}", "--clear-groups",
             place / "rootfs/sandbox-rootfs", "import", place / "layout", place / "made"],
            env={"PATH": os.environ["PATH"], "HOME": str(place)}, capture_output=True, text=True)
        if "may not make namespaces" in ran.stderr:
            pytest.skip("ordinary users may not make user namespaces on this host")
        assert ran.returncode == 0, ran
        for by in ([], ["setpriv", f"--reuid={user}", f"--regid={user}", "--clear-groups"]):
            check = subprocess.run([*by, place / "rootfs/sandbox-rootfs", "check", place / "made"],
                                   capture_output=True, text=True)
            # Root is told that the user could change it; the user has nothing to hear.
            assert (check.returncode, "belongs to uid" in check.stdout) == ((0, False) if by
                                                                           else (1, True)), check
    finally:
        shutil.rmtree(place)


# ── Hostile images ───────────────────────────────────────────────────────────────────────────────


def hostile_layers(canary):
    """name → entries of a layer that would like to get out, or to leave something behind."""
    outside, file = str(canary), str(canary / "file")
    up = "../" * 40
    return {
        "a link to a directory outside, and a file through it": [
            symlink("escape", outside), entry("escape/pwned", data=b"x"),
            entry("escape/file", data=b"x")],
        "a relative link out, and a file through it": [
            symlink("escape", up + outside), entry("escape/pwned", data=b"x")],
        "a link in the place of a directory of the layer below": [
            symlink("usr/share", outside), entry("usr/share/pwned", data=b"x")],
        "dots in a path": [entry(up + outside.lstrip("/") + "/pwned", data=b"x")],
        "an absolute path": [entry(outside + "/pwned", data=b"x"), entry(file, data=b"x")],
        "a hard link to a file outside": [
            entry("stolen", tarfile.LNKTYPE, link=file), entry("stolen", data=b"x")],
        "a hard link through a link": [
            symlink("escape", outside), entry("stolen", tarfile.LNKTYPE, link="escape/file")],
        "a whiteout of something outside": [
            symlink("escape", outside), entry("escape/.wh.file"), entry("escape/.wh..wh..opq")],
        "a whiteout with dots": [entry(".wh..."), entry("usr/.wh..")],
        "the runner's directory is a link": [
            directory("usr/lib"), symlink("usr/lib/sandbox-run", outside)],
        "the runner and the record are links": [
            directory("usr/lib/sandbox-run"), symlink("usr/lib/sandbox-run/runner.py", file),
            symlink("usr/lib/sandbox-run/runner.pyc", file),
            symlink("usr/lib/sandbox-run/rootfs.json", file)],
        "mount points are links": [
            symlink("proc", outside), symlink("dev", outside), symlink("tmp", up + outside),
            symlink("work", outside), symlink("sys", outside)],
        "mount points are full": [
            entry("work/a/b", data=b"x"), entry("proc/1/mem", data=b"x"), entry("tmp", data=b"x")],
        "files of /etc are links": [
            directory("etc"), *(symlink(f"etc/{name}", file) for name in (
                "passwd", "group", "hosts", "hostname", "resolv.conf", "nsswitch.conf", "shadow"))],
        "names to stumble over": [
            entry("a\nb", data=b"x"), entry("-rf", data=b"x"), entry("\x1b[2J", data=b"x"),
            entry("sp ace/'\"", data=b"x")],
        "modes that lock others out": [
            directory("locked", mode=0), entry("locked/file", data=b"x", mode=0),
            entry("sticky", tarfile.DIRTYPE, mode=0o1777), entry("open", data=b"x", mode=0o777)],
        "set-id programs": [
            entry("usr/bin/su", data=b"\x7fELF", mode=0o6755), directory("share", mode=0o2775)],
        "file capabilities": [entry("usr/bin/ping", data=b"x", mode=0o755, pax={
            "SCHILY.xattr.security.capability": "\x01\x00\x00\x02\x00\x20\x00\x00" + "\x00" * 12})],
        "devices, FIFOs": [
            entry("disk", tarfile.BLKTYPE, device=(8, 0), mode=0o666),
            entry("mem", tarfile.CHRTYPE, device=(1, 1), mode=0o666),
            entry("fifo", tarfile.FIFOTYPE, mode=0o666),
            entry("usr/lib/python3/pipe.py", tarfile.FIFOTYPE, mode=0o666)],
    }


HOSTILE = sorted(hostile_layers(pathlib.Path("/")))


@needs_tools
@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_layer_harms_nobody(rootfs, image, canary, name):
    """Outside nothing is touched (the canary says so). Inside there is either nothing, or a tree
    that passes every check."""
    source = image(*hostile_layers(canary)[name]).docker_save()
    ran = subprocess.run([PROGRAM, "import", source, rootfs.target], capture_output=True, text=True)
    if ran.returncode == 0:
        assert rootfs.faults(status=0) == []
        assert rootfs.left() == ["rootfs"]
    else:
        assert ran.returncode == 1 and rootfs.left() == [], ran
        assert "the image is damaged or hostile" in ran.stderr


@needs_tools
@pytest.mark.parametrize("make, hint", [
    (lambda outside: symlink("usr", outside), "no python3 in the tree"),
    (lambda outside: symlink("etc", outside), "/etc is not a directory"),
    (lambda outside: entry("etc", data=b"x"), "/etc is not a directory"),
], ids=["usr is a link", "etc is a link", "etc is a file"])
def test_an_image_whose_directories_lead_elsewhere_is_refused(rootfs, image, canary, make, hint):
    ran = rootfs.take(image(make(canary)).docker_save(), status=1)
    assert hint in ran.stderr and rootfs.left() == []


@needs_tools
def test_an_image_that_nests_directories_without_end_is_refused(rootfs, image):
    ran = rootfs.take(image(entry("d/" * 400 + "file", data=b"x")).docker_save(), status=1)
    assert "nested deeper" in ran.stderr and rootfs.left() == []


@needs_tools
def test_an_interpreter_that_is_reached_by_an_absolute_link_is_found_inside(rootfs, image):
    python = os.readlink(rootfs_path() / "usr/bin/python3")
    rootfs.take(image(symlink("usr/bin/python3", f"/usr/bin/{python}")).layout())
    assert rootfs.record["python"] == f"/usr/bin/{python}"


# Runs whenever the image's python does: as a stranger would have it.
SPY = b"""
import os, _socket
report = {"uid": os.getuid(), "root": sorted(os.listdir("/"))}
report["processes"] = os.getpid()
for name, attempt in {
    "network": lambda: _socket.socket().connect(("127.0.0.1", PORT)),
    "canary": lambda: open("CANARY/file", "w"),
    "device": lambda: os.mknod("/device", 0o20666, os.makedev(1, 3)),
    "chroot": lambda: os.chroot("/usr"),
    "kill": lambda: os.kill(TESTER, 0),
    "setuid": lambda: os.setuid(0),
}.items():
    try:
        attempt()
        report[name] = "done"
    except BaseException as error:
        report[name] = type(error).__name__
os.makedirs("/var", exist_ok=True)
for name, mode in (("suid", 0o6777), ("open", 0o777)):
    with open("/var/" + name, "w") as file:
        os.fchmod(file.fileno(), mode)
try:
    os.mkfifo("/var/fifo")
    with open("/var/report", "w") as file:
        file.write(repr(report))
except OSError:
    pass
"""


@needs_tools
def test_a_hostile_interpreter_runs_in_a_cell(rootfs, image, canary):
    """The image's python is its author's program; it runs once, to compile its library."""
    library = f"usr/lib/{library_name()}"
    entries = [entry(str(path.relative_to(rootfs_path())), data=path.read_bytes()) for path in
               (rootfs_path() / library / "lib-dynload").glob("_socket*")]
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        spy = SPY.replace(b"CANARY", str(canary).encode()).replace(
            b"PORT", str(listener.getsockname()[1]).encode()).replace(
            b"TESTER", str(os.getpid()).encode())
        rootfs.take(image(*entries, entry(f"{library}/sitecustomize.py", data=spy)).layout())
        listener.settimeout(0)
        with pytest.raises(BlockingIOError):
            listener.accept()
    report = eval((rootfs.target / "var/report").read_text())  # repr of plain values, by our own code
    assert report["uid"] != 0
    assert not {"root", "home", "boot"} & set(report["root"])
    assert {name: report[name] for name in ("canary", "device", "chroot", "setuid")} == {
        "canary": "FileNotFoundError", "device": "PermissionError", "chroot": "PermissionError",
        "setuid": "PermissionError"}
    assert report["network"] == "OSError", "no network: even loopback is down"
    assert report["kill"] == "ProcessLookupError", "no process of the host is to be seen"
    assert rootfs.faults(status=0) == []
    assert not (rootfs.target / "var/fifo").exists()


@needs_tools
@pytest.mark.parametrize("answer, hint", [
    ("print('nonsense')", "nonsense"),
    ("print('{\"python\": \"/usr/bin/../../etc/passwd\", \"version\": \"3.11.2\", \"pyc\": \"\"}')",
     "characters other"),
    ("print('{\"python\": \"/etc/passwd\", \"version\": \"3.11.2\", \"pyc\": \"\"}')", "not a program"),
    ("print('{\"python\": \"/usr/bin/python3.11\", \"version\": \"2.7.18\", \"pyc\": \"\"}')",
     "not a Python 3"),
    ("import os; os._exit(3)", "failed"),
    ("import os; os.write(1, b'[' * 900000)", "nonsense"),
], ids=["nonsense", "dots", "another file", "version", "exit", "flood"])
def test_no_word_of_a_hostile_interpreter_is_taken_unchecked(rootfs, image, answer, hint):
    library = f"usr/lib/{library_name()}"
    hook = f"{answer}\nimport os, sys\nsys.stdout.flush()\nos._exit(0)\n".encode()
    ran = rootfs.take(image(entry(f"{library}/sitecustomize.py", data=hook)).layout(), status=1)
    assert hint in ran.stderr and rootfs.left() == []

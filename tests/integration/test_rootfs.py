"""sandbox-rootfs: import, check, refresh and what a hostile image can do about them.

The images are made here, out of the few files of the built root file system (SANDBOX_ROOTFS) that
python needs to start: no test needs the internet. `build`, which does, is held by checking what it
has built.

These tests run as root, too, and what they try has to be harmless when what they test is broken: a
hostile image may aim at the canary that the test has put up for it, and at nothing else of the host.
"""

import contextlib
import functools
import gzip
import hashlib
import io
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import tarfile

import pytest

from sandbox_run import BINARY, CHECKOUT, rootfs_path

ROOTFS_DIR = CHECKOUT / "rootfs"
PROGRAM = ROOTFS_DIR / "sandbox-rootfs"
HOME = "usr/lib/sandbox-run"

# What the interpreter needs to start, to compile its library and to run the runner.
MODULES = """__future__ _collections_abc _compat_pickle _sitebuiltins _weakrefset abc ast bisect codecs fnmatch shutil
collections contextlib copyreg dis encodings enum functools genericpath importlib inspect io json
keyword linecache opcode operator os posixpath random re reprlib runpy site sre_compile sre_constants
sre_parse stat string struct textwrap token tokenize traceback types typing warnings weakref""".split()
ENCODINGS = ("__init__.py", "aliases.py", "ascii.py", "latin_1.py", "utf_8.py")

needs_tools = pytest.mark.skipif(
    not all(map(shutil.which, ("skopeo", "umoci"))),
    reason="skopeo and umoci are not installed: apt install skopeo umoci")
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can make such files")
pytestmark = pytest.mark.skipif(not (rootfs_path() / HOME / "rootfs.json").exists(),
                                reason="SANDBOX_ROOTFS names no root file system")


# ── Images ───────────────────────────────────────────────────────────────────────────────────────


def entry(name, kind=tarfile.REGTYPE, *, data=b"", mode=0o644, link="", device=(0, 0), pax=None):
    """One member of a layer, with its content."""
    info = tarfile.TarInfo(name)
    info.type, info.mode, info.linkname, info.size = kind, mode, link, len(data)
    info.devmajor, info.devminor = device
    info.pax_headers = pax or {}
    return info, data


def directory(name, mode=0o755):
    return entry(name, tarfile.DIRTYPE, mode=mode)


def symlink(name, target):
    return entry(name, tarfile.SYMTYPE, link=str(target))


def layer(*entries):
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for info, data in entries:
            archive.addfile(info, io.BytesIO(data))
    return stream.getvalue()


@functools.cache
def compressed(data):
    return gzip.compress(data, 1, mtime=0)


def library_name():
    """python3.11"""
    record = json.loads((rootfs_path() / HOME / "rootfs.json").read_text())
    return "python" + record["version"].rsplit(".", 1)[0]


def files_of_python():
    """The (path in the root file system, file or link) that a tiny image has."""
    root = rootfs_path()
    record = json.loads((root / HOME / "rootfs.json").read_text())
    library = root / "usr/lib" / library_name()
    found = [root / "usr/bin/python3", root / record["python"].lstrip("/")]
    for name in MODULES:
        found += [library / f"{name}.py"] if (library / f"{name}.py").exists() else [
            path for path in sorted((library / name).rglob("*.py"))
            if name != "encodings" or path.name in ENCODINGS]
    for name in ("ld-linux*.so*", "libc.so.6", "libm.so.6", "libz.so.1*", "libexpat.so.1*"):
        found += sorted((root / "usr/lib").glob(f"*-linux-gnu*/{name}"))
    found += sorted((root / "usr/lib64").glob("ld-linux*"))
    return root, found


def python_layer():
    root, found = files_of_python()
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for name in ("bin", "lib", "lib64"):
            archive.addfile(symlink(name, f"usr/{name}")[0])
        archive.addfile(directory(f"usr/lib/{library_name()}/lib-dynload")[0])
        for path in found:
            info = archive.gettarinfo(path, str(path.relative_to(root)))
            info.type = tarfile.SYMTYPE if path.is_symlink() else tarfile.REGTYPE
            info.size = 0 if path.is_symlink() else path.stat().st_size
            with open(os.devnull if path.is_symlink() else path, "rb") as file:
                archive.addfile(info, file)
    return stream.getvalue()


class Image:
    """An image of some layers, in each of the forms that images come in."""

    ARCHITECTURE = {"x86_64": "amd64", "aarch64": "arm64"}.get(os.uname().machine, "amd64")

    def __init__(self, directory, *layers):
        self._directory = directory
        self._layers = layers
        directory.mkdir(exist_ok=True)

    def _config(self):
        return json.dumps({
            "architecture": self.ARCHITECTURE, "os": "linux", "config": {},
            "rootfs": {"type": "layers", "diff_ids": [
                f"sha256:{hashlib.sha256(data).hexdigest()}" for data in self._layers]},
            "history": [{"created_by": "test"} for _ in self._layers]}).encode()

    def layout(self, name="layout"):
        path = self._directory / name
        blobs = path / "blobs/sha256"
        blobs.mkdir(parents=True)

        def blob(data, media_type):
            digest = hashlib.sha256(data).hexdigest()
            (blobs / digest).write_bytes(data)
            return {"mediaType": f"application/vnd.oci.image.{media_type}", "size": len(data),
                    "digest": f"sha256:{digest}"}

        layers = [blob(compressed(data), "layer.v1.tar+gzip") for data in self._layers]
        manifest = {"schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json",
                    "config": blob(self._config(), "config.v1+json"), "layers": layers}
        index = {"schemaVersion": 2,
                 "manifests": [blob(json.dumps(manifest).encode(), "manifest.v1+json")]}
        (path / "index.json").write_text(json.dumps(index))
        (path / "oci-layout").write_text('{"imageLayoutVersion": "1.0.0"}')
        return path

    def oci_archive(self):
        path = self._directory / "image-oci.bin"
        with tarfile.open(path, "w") as archive:
            archive.add(self.layout("archived"), ".")
        return path

    def docker_save(self, compressed=False):
        path = self._directory / "image-docker.bin"
        files = {"config.json": self._config()}
        names = []
        for number, data in enumerate(self._layers):
            names.append(f"{number}/layer.tar")
            files[names[-1]] = data
        files["manifest.json"] = json.dumps(
            [{"Config": "config.json", "RepoTags": ["test:latest"], "Layers": names}]).encode()
        with tarfile.open(path, "w:gz" if compressed else "w", **(
                {"compresslevel": 1} if compressed else {})) as archive:
            for name, data in files.items():
                archive.addfile(*[part if number == 0 else io.BytesIO(part) for number, part in
                                  enumerate(entry(name, data=data))])
        return path


@pytest.fixture(scope="session")
def base():
    return python_layer()


@pytest.fixture
def image(tmp_path, base):
    """image(entry, …): the tiny image, with these entries as a layer on top."""

    def make(*entries):
        return Image(tmp_path / "image", base, *([layer(*entries)] if entries else []))

    return make


# ── Calling it ───────────────────────────────────────────────────────────────────────────────────


class Rootfs:
    """sandbox-rootfs as these tests call it."""

    def __init__(self, directory):
        self.place = directory / "place"
        self.place.mkdir()
        self.target = self.place / "rootfs"

    def __call__(self, *args, status=0, program=PROGRAM, **popen):
        ran = subprocess.run([program, *map(str, args)], capture_output=True, text=True,
                             stdin=subprocess.DEVNULL, check=False, **popen)
        assert ran.returncode == status, ran
        return ran

    def take(self, source, *options, status=0):
        return self("import", *options, source, self.target, status=status)

    def faults(self, *, status=1):
        """The faults that check finds, as (word, path)."""
        ran = self("check", "--json", self.target, status=status)
        found = json.loads(ran.stdout)
        assert found["ok"] == (status == 0)
        return [(finding["fault"], finding["path"]) for finding in found["findings"]]

    @property
    def record(self):
        return json.loads((self.target / HOME / "rootfs.json").read_text())

    def left(self):
        return sorted(os.listdir(self.place))


@pytest.fixture
def rootfs(tmp_path):
    made = Rootfs(tmp_path)
    yield made
    with contextlib.suppress(FileNotFoundError):
        for path in made.place.rglob("*"):
            if path.is_dir() and not path.is_symlink():
                path.chmod(0o755)
    # Fifteen megabytes each, and there are more than a hundred of them.
    for path in (made.place, tmp_path / "image"):
        shutil.rmtree(path, ignore_errors=True)


@pytest.fixture(scope="session")
def imported(tmp_path_factory, base):
    directory = tmp_path_factory.mktemp("imported")
    made = Rootfs(directory)
    made.take(Image(directory / "image", base).layout())
    return made.target


@pytest.fixture
def taken(rootfs, imported):
    """A root file system that was imported from the tiny image: a copy, to do with as one likes."""
    subprocess.run(["cp", "-a", imported, rootfs.target], check=True)
    return rootfs


@pytest.fixture
def canary(tmp_path):
    """A directory outside that no image may change, at a path that an image can name."""
    path = tmp_path / "canary"
    path.mkdir()
    (path / "file").write_text("untouched")
    (path / "file").chmod(0o640)
    before = snapshot(path)
    yield path
    assert snapshot(path) == before


def snapshot(path):
    return {str(inner): (inner.lstat().st_mode, inner.lstat().st_uid, inner.lstat().st_nlink,
                         inner.read_bytes() if inner.is_file() else None)
            for inner in [path, *sorted(path.rglob("*"))]}


# ── build ────────────────────────────────────────────────────────────────────────────────────────


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


# ── import: the forms of an image ────────────────────────────────────────────────────────────────


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
    assert sorted(os.listdir(taken.target / HOME)) == ["rootfs.json", "runner.py", "runner.pyc"]


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


# ── import: hostile images ───────────────────────────────────────────────────────────────────────


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
    (lambda outside: symlink("etc", outside), "/etc is no directory"),
    (lambda outside: entry("etc", data=b"x"), "/etc is no directory"),
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
    ("print('{\"python\": \"/etc/passwd\", \"version\": \"3.11.2\", \"pyc\": \"\"}')", "no program"),
    ("print('{\"python\": \"/usr/bin/python3.11\", \"version\": \"2.7.18\", \"pyc\": \"\"}')",
     "no Python 3"),
    ("import os; os._exit(3)", "failed"),
    ("import os; os.write(1, b'[' * 900000)", "nonsense"),
], ids=["nonsense", "dots", "another file", "version", "exit", "flood"])
def test_no_word_of_a_hostile_interpreter_is_taken_unchecked(rootfs, image, answer, hint):
    library = f"usr/lib/{library_name()}"
    hook = f"{answer}\nimport os, sys\nsys.stdout.flush()\nos._exit(0)\n".encode()
    ran = rootfs.take(image(entry(f"{library}/sitecustomize.py", data=hook)).layout(), status=1)
    assert hint in ran.stderr and rootfs.left() == []


# ── Failures ─────────────────────────────────────────────────────────────────────────────────────


@needs_tools
@pytest.mark.parametrize("make, hint", [
    (lambda image, path: path / "missing", "is not there"),
    (lambda image, path: path, "oci-layout"),
    (lambda image, path: (path / "text").write_text("x") and path / "text", "docker save"),
    (lambda image, path: Image(path / "bare", layer(directory("usr"))).layout(), "--python"),
    (lambda image, path: "docker://127.0.0.1:1/none:latest", "127.0.0.1:1 can't be reached"),
], ids=["no source", "a directory", "a text file", "no python in it", "no registry"])
def test_a_failed_import_says_what_to_do_and_leaves_nothing(rootfs, image, tmp_path, make, hint):
    ran = rootfs.take(make(image, tmp_path), status=1)
    assert hint in ran.stderr and rootfs.left() == []


@needs_tools
def test_directories_that_were_made_for_a_failed_import_go_again(rootfs, tmp_path):
    bare = Image(tmp_path / "bare", layer(directory("usr"))).layout()
    rootfs("import", bare, rootfs.place / "a/b/c/rootfs", status=1)
    assert rootfs.left() == []


@needs_tools
def test_a_damaged_image_is_refused(rootfs, image):
    layout = image().layout()
    largest = max((layout / "blobs/sha256").iterdir(), key=lambda path: path.stat().st_size)
    data = bytearray(largest.read_bytes())
    data[len(data) // 2] ^= 1
    largest.write_bytes(data)
    rootfs.take(layout, status=1)
    assert rootfs.left() == []


@needs_tools
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_an_import_and_leaves_nothing(rootfs, number):
    """The registry takes the connection and never answers: the signal comes in the midst of it."""
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        process = subprocess.Popen(
            [PROGRAM, "import", "--insecure", f"docker://127.0.0.1:{silent.getsockname()[1]}/a:b",
             rootfs.target], stderr=subprocess.PIPE, start_new_session=True)
        connection, _ = silent.accept()
        assert rootfs.left() == [".rootfs.work"]
        process.send_signal(number)
        process.communicate()
        connection.close()
    assert process.returncode == 128 + number
    assert rootfs.left() == []


@needs_tools
def test_what_a_killed_import_left_is_cleared_by_the_next(rootfs, image):
    left = rootfs.place / ".rootfs.work"
    (left / "tree/locked").mkdir(parents=True)
    (left / "tree/locked/file").write_text("x")
    (left / "tree/locked").chmod(0)
    left.chmod(0o700)
    rootfs.take(image().layout())
    assert rootfs.left() == ["rootfs"] and not (rootfs.target / "locked").exists()


@needs_tools
def test_a_killed_import_takes_with_it_what_it_started_and_the_next_works(rootfs, image):
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        process = subprocess.Popen(
            [PROGRAM, "import", "--insecure", f"docker://127.0.0.1:{silent.getsockname()[1]}/a:b", rootfs.target],
            stderr=subprocess.DEVNULL)
        connection, _ = silent.accept()
        process.kill()
        process.wait()
        while connection.recv(4096):
            pass  # until skopeo is gone
        connection.close()
    rootfs.take(image().layout())
    assert rootfs.left() == ["rootfs"] and rootfs.faults(status=0) == []


@pytest.fixture
def fake(tmp_path):
    """fake(program, script): an environment in which that is the program."""
    def fake(program, script):
        (tmp_path / "bin").mkdir(exist_ok=True)
        (tmp_path / "bin" / program).write_text(f"#!/bin/sh\n{script}\n")
        (tmp_path / "bin" / program).chmod(0o755)
        return {**os.environ, "PATH": f"{tmp_path}/bin:{os.environ['PATH']}"}

    return fake


@needs_tools
@pytest.mark.long
def test_the_next_call_waits_until_nothing_of_a_killed_one_is_left(rootfs, image, fake, tmp_path):
    """Neither a session of its own nor a deaf ear keeps a process alive."""
    os.mkfifo(tmp_path / "alive")
    environment = fake("skopeo", f"""exec 3>{tmp_path}/alive
        trap '' TERM HUP INT
        setsid sh -c 'setsid sleep 600 & exec sleep 600' &
        exec sleep 600""")
    source = image().layout()
    process = subprocess.Popen([PROGRAM, "import", source, rootfs.target], env=environment, stderr=subprocess.DEVNULL)
    with open(tmp_path / "alive", "rb") as alive:
        process.kill()
        rootfs.take(source)
        os.set_blocking(alive.fileno(), False)
        assert alive.read() == b"", "nobody has it open any more"
    process.wait()
    assert rootfs.left() == ["rootfs"] and rootfs.faults(status=0) == []


# What the tools say of themselves, and what is made of it.
CAUSES = {
    "no such package": ("mmdebstrap", "E: Unable to locate package python3-nunpy", "no package python3-nunpy in Debian bookworm"),
    "a package that is known by name alone": (
        "mmdebstrap", "E: Package 'python3-old' has no installation candidate", "no package python3-old in Debian bookworm"),
    "no such release": (
        "mmdebstrap", "E: The repository 'http://deb.debian.org/debian bookworm Release' does not have a Release file.",
        "no Debian bookworm at deb.debian.org"),
    "a full disk": ("mmdebstrap", "E: Write error - write (28: No space left on device)", "no room is left in {tmp} (TMPDIR) or in {place}:"),
    "a full disk of the target's": (
        "mmdebstrap", "tar: ./usr/lib/x: Cannot write: No space left on device\nE: Write error - write (28: No space left on device)",
        "no room is left in {place}: make some"),
    "a quota": ("mmdebstrap", "tar: ./usr/lib/x: Cannot write: Disk quota exceeded", "no room is left in {place}: make some"),
    "no such host": ("mmdebstrap", "  Temporary failure resolving 'deb.debian.org'", "deb.debian.org is no name that this host can find"),
    "nobody answers": ("mmdebstrap", "  Could not connect to 127.0.0.1:1 (127.0.0.1). - connect (111: Connection refused)",
                       "127.0.0.1:1 can't be reached"),
    "no key": ("mmdebstrap", "W: GPG error: http://deb.debian.org bookworm InRelease: NO_PUBKEY 0E98404D386FA1D9",
               "apt install debian-archive-keyring"),
    "packages that don't agree": ("mmdebstrap", "The following packages have unmet dependencies:", "can't be installed together"),
    "no user namespaces": ("mmdebstrap", "E: unable to pick chroot mode automatically (use --mode for manual selection)",
                           "this user may not make namespaces here"),
    "something else": ("mmdebstrap", "E: something else", "mmdebstrap failed, see above"),
    "nothing": ("mmdebstrap", "", "mmdebstrap failed, see above"),
    "no such image": ("skopeo", "reading manifest b in 127.0.0.1:1/a: manifest unknown: manifest unknown", "no such image"),
    "no access": ("skopeo", "denied: requested access to the resource is denied", "skopeo login"),
    "no TLS": ("skopeo", "http: server gave HTTP response to HTTPS client", "--insecure"),
    "an unknown certificate": ("skopeo", "x509: certificate signed by unknown authority", "--insecure"),
    "no such registry": ("skopeo", "dial tcp: lookup no-such.invalid on 10.0.0.1:53: no such host", "no-such.invalid is no name"),
    "nobody answers there": ("skopeo", "dial tcp 127.0.0.1:1: connect: connection refused", "127.0.0.1:1 can't be reached"),
    "a damaged image": ("skopeo", "unexpected EOF", "the image can't be fetched, see above"),
}


@needs_tools
@pytest.mark.parametrize("verbose", [[], ["--verbose"]], ids=["", "verbose"])
@pytest.mark.parametrize("name", CAUSES)
def test_a_failure_names_its_cause_and_no_other(rootfs, fake, name, verbose):
    tool, said, told = CAUSES[name]
    environment = fake(tool, f"cat >&2 <<'END'\n{said}\nEND\nexit 1")
    arguments = ["build"] if tool == "mmdebstrap" else ["import", "docker://127.0.0.1:1/a:b"]
    ran = rootfs(arguments[0], *verbose, *arguments[1:], rootfs.target, status=1, env={**environment, "TMPDIR": "/tmp"})
    last = ran.stderr.splitlines()[-1]
    assert told.format(place=rootfs.place, tmp="/tmp") in last and last.startswith("sandbox-rootfs: "), ran
    assert not said or said.splitlines()[0] in ran.stderr
    assert rootfs.left() == []


@needs_tools
@needs_root
@pytest.mark.parametrize("size", ["100K", "8M", "13M"])
def test_a_full_disk_is_told_at_whatever_step_it_is_full(rootfs, image, size):
    ran = subprocess.run(["unshare", "--mount", "sh", "-c", 'mount -t tmpfs -o size="$0" none "$1" && shift && exec "$@"', size,
                          rootfs.place, PROGRAM, "import", image().layout(), rootfs.target], capture_output=True, text=True)
    assert ran.returncode == 1 and "no room is left" in ran.stderr.splitlines()[-1], ran


@needs_root
@pytest.mark.skipif(shutil.which("newuidmap") is None, reason="uidmap is not installed")
@pytest.mark.parametrize("user, told", [("65534", "/etc/subuid has no range for nobody: as root, usermod --add-subuids"),
                                        ("12345", "uid 12345 has no name")])
def test_a_user_who_has_no_range_of_ids_is_told_how_to_get_one(user, told):
    place = pathlib.Path(subprocess.run(["mktemp", "-d", "/tmp/sandbox-run-test-XXXXXX"], check=True, capture_output=True,
                                        text=True).stdout.strip())
    try:
        shutil.copytree(ROOTFS_DIR, place / "rootfs", ignore=shutil.ignore_patterns("__pycache__"))
        place.chmod(0o755)
        ran = subprocess.run(["setpriv", f"--reuid={user}", f"--regid={user}", "--clear-groups",
                              place / "rootfs/sandbox-rootfs", "build", place / "made"], capture_output=True, text=True)
        assert ran.returncode == 1 and told in ran.stderr, ran
    finally:
        shutil.rmtree(place)


@needs_tools
def test_two_imports_to_the_same_place_take_turns(rootfs, image):
    source = image().layout()
    both = [subprocess.Popen([PROGRAM, "import", source, rootfs.target], stderr=subprocess.PIPE,
                             text=True) for _ in range(2)]
    told = {process.wait(): process.communicate()[1] for process in both}
    assert sorted(told) == [0, 1] and "is there already" in told[1], told
    assert rootfs.left() == ["rootfs"] and rootfs.faults(status=0) == []


@needs_tools
def test_an_existing_root_file_system_is_replaced_by_force_alone(taken, image):
    before = taken.target.stat().st_ino
    (taken.target / "mark").write_text("old")
    refused = taken.take(image().layout("again"), status=1)
    assert "--force" in refused.stderr and (taken.target / "mark").exists()
    assert taken.target.stat().st_ino == before
    taken.take(image().layout("and-again"), "--force")
    assert not (taken.target / "mark").exists() and taken.left() == ["rootfs"]


@needs_tools
def test_not_even_force_replaces_another_directory(rootfs, image, canary):
    rootfs.target = canary
    refused = rootfs.take(image().layout(), "--force", status=1)
    assert "not even --force" in refused.stderr and "fetching" not in refused.stderr
    assert not (canary.parent / ".canary.work").exists()


@needs_tools
def test_a_failed_replacement_leaves_the_old_one(taken, tmp_path):
    bare = Image(tmp_path / "bare", layer(directory("usr"))).layout()
    taken.take(bare, "--force", status=1)
    assert taken.faults(status=0) == [] and taken.left() == ["rootfs"]


@pytest.mark.parametrize("args, hint", [
    ([], "build, import, check or refresh"),
    (["burn"], "burn"),
    (["import", "one"], "import takes SOURCE DIR, not one"),
    (["build"], "build takes DIR, not nothing"),
    (["check", "one", "two"], "check takes DIR, not one two"),
    (["build", "--json", "dir"], "--json"),
    (["check", "--force", "dir"], "--force"),
    (["build", "--with", "a b;c", "dir"], "--with"),
    (["build", "--with", "-o,x", "dir"], "--with"),
    (["build", "--suite", "--help", "dir"], "--suite"),
    (["build", "--mirror", "x y", "dir"], "--mirror"),
    (["import", "--python", "bin/python", "a", "b"], "--python"),
    (["build", "--with"], "needs a value"),
    (["check", "-x", "dir"], "-x"),
])
def test_wrong_usage_is_named(rootfs, args, hint):
    assert hint in rootfs(*args, status=2).stderr
    assert rootfs.left() == []


@pytest.mark.parametrize("command", ["check", "refresh"])
def test_the_hosts_own_root_is_refused(rootfs, command):
    assert "name a directory of its own" in rootfs(command, "/", status=1).stderr


def test_help_and_version(rootfs):
    assert rootfs("--help").stdout.startswith("usage: sandbox-rootfs build")
    version = re.search(r"version: '([\d.]+)'", (CHECKOUT / "meson.build").read_text())[1]
    assert rootfs("--version").stdout == f"sandbox-rootfs {version}\n"


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
    assert "/a?b?[2J can be written by others than its owner (writable)" in lines
    assert "/etc/hosts can be written by others than its owner (writable)" in lines
    assert len(lines) == 3, lines  # and the digest
    together = subprocess.run([PROGRAM, "check", taken.target], stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True).stdout
    assert together.splitlines()[-1].startswith("sandbox-rootfs: make it anew"), together


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
@needs_tools
def test_refresh_gives_an_older_tree_the_name_python(taken):
    """It was made before there was one, so the record is of a tree without."""
    (taken.target / "usr/bin/python").unlink()
    record = (taken.target / HOME / "rootfs.json").read_text()
    lines = subprocess.run(["/usr/bin/python3", "-I", "-c",
                            "import importlib.util, os, sys\n"
                            "spec = importlib.util.spec_from_file_location('tree', sys.argv[1])\n"
                            "tree = importlib.util.module_from_spec(spec); spec.loader.exec_module(tree)\n"
                            "print(tree.digest_of(tree.lines_of(tree.open_tree(sys.argv[2]))))",
                            ROOTFS_DIR / "tree.py", taken.target], capture_output=True, text=True, check=True).stdout
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
    assert "not as it was made" in refused.stderr
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
    assert "no directory" in rootfs("refresh", rootfs.target, status=1).stderr
    assert "make the root file system anew" in rootfs("refresh", canary, status=1).stderr


def test_a_command_that_has_ended_before_anybody_waits_for_it_is_heard_of():
    ran = subprocess.run(["/usr/bin/python3", "-c", """
import os, subprocess, sys
sys.path.insert(0, sys.argv[1])
import guard

class Ended(subprocess.Popen):
    def __init__(self, *arguments, **options):
        super().__init__(*arguments, **options)
        os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOWAIT)

subprocess.Popen = Ended
sys.exit(guard.main(os.getppid(), "sh", "-c", "exit 7"))
""", CHECKOUT / "rootfs"])
    assert ran.returncode == 7

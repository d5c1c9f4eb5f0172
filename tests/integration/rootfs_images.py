"""Images and calls of sandbox-rootfs.

The images are made here, out of the few files of the built root file system (SANDBOX_ROOTFS) that python needs to
start: no test needs the internet. Their tests run as root, too, and what they try has to be harmless when what they
test is broken: a hostile image may aim at the canary that the test has put up for it, and at nothing else of the host.
"""

import functools
import gzip
import hashlib
import io
import json
import os
import shutil
import subprocess
import tarfile

import pytest

from sandbox_run import CHECKOUT, rootfs_path

ROOTFS_DIR = CHECKOUT / "rootfs"
PROGRAM = ROOTFS_DIR / "sandbox-rootfs"
HOME = "usr/lib/sandbox-run"

# What the interpreter needs to start, to compile its library and to run the runner.
MODULES = """__future__ _collections_abc _compat_pickle _sitebuiltins _weakrefset abc ast bisect codecs fnmatch shutil
collections contextlib copyreg dis encodings enum functools genericpath importlib inspect io json
keyword linecache opcode operator os posixpath random re reprlib runpy site sre_compile sre_constants
sre_parse stat string struct textwrap token tokenize traceback types typing warnings weakref""".split()
ENCODINGS = ("__init__.py", "aliases.py", "ascii.py", "latin_1.py", "utf_8.py")

needs_record = pytest.mark.skipif(not (rootfs_path() / HOME / "rootfs.json").exists(),
                                  reason="SANDBOX_ROOTFS names no root file system")
needs_tools = pytest.mark.skipif(
    not all(map(shutil.which, ("skopeo", "umoci"))),
    reason="skopeo and umoci are not installed: apt install skopeo umoci")
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can make such files")


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


def snapshot(path):
    return {str(inner): (inner.lstat().st_mode, inner.lstat().st_uid, inner.lstat().st_nlink,
                         inner.read_bytes() if inner.is_file() else None)
            for inner in [path, *sorted(path.rglob("*"))]}

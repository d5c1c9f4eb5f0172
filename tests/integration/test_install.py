"""`meson install` and `ninja uninstall`: where things go, what stays, and that what was installed works.

One build with a prefix of its own serves all tests, whichever process runs them; each has it for itself meanwhile."""

import fcntl
import os
import pathlib
import re
import shutil
import subprocess
import sys

import pytest

from sandbox_run import CHECKOUT, SANITIZE

pytestmark = [
    pytest.mark.cold,
    pytest.mark.skipif(bool(SANITIZE), reason="the build is its own"),
    pytest.mark.skipif(any(shutil.which(tool) is None for tool in ("meson", "ninja", "cc")),
                       reason="nothing to build with here"),
]

SCRIPT = CHECKOUT / "src/serve/units/install_conf.py"
TEXT = "# Configuration of sandbox-serve.\n#jobs = 0\n"


def call(*command, **popen):
    ran = subprocess.run(list(map(str, command)), capture_output=True, text=True, stdin=subprocess.DEVNULL, **popen)
    assert ran.returncode == 0, ran
    return ran


class Build:
    """A build directory, and the prefix that it installs to: both new, for whoever runs the tests."""

    def __init__(self, directory):
        self.place = directory / "build"
        self.prefix = directory / "prefix"
        self.conf = self.prefix / "etc/sandbox-run/serve.conf"
        self.new = self.conf.with_name("serve.conf.new")

    def make(self):
        call("meson", "setup", self.place, CHECKOUT, f"--prefix={self.prefix}", "-Doptimization=0", "-Ddebug=false",
             "-Dserve=enabled", "-Dweb=disabled", "-Dtests=disabled")
        call("ninja", "-C", self.place)

    def install(self, *options, **popen):
        return call("meson", "install", "-C", self.place, "--no-rebuild", *options, **popen)

    def uninstall(self):
        call("ninja", "-C", self.place, "uninstall")

    def files(self):
        return {str(path.relative_to(self.prefix)) for path in self.prefix.rglob("*") if not path.is_dir()}


@pytest.fixture
def build(tmp_path_factory):
    own = tmp_path_factory.getbasetemp()
    directory = (own.parent if "PYTEST_XDIST_WORKER" in os.environ else own) / "installed"
    directory.mkdir(exist_ok=True)
    with open(directory / "turn", "w") as turn:
        fcntl.flock(turn, fcntl.LOCK_EX)
        made = Build(directory)
        if not (directory / "made").exists():
            shutil.rmtree(made.place, ignore_errors=True)
            made.make()
            (directory / "made").touch()
        shutil.rmtree(made.prefix, ignore_errors=True)
        yield made


# ── Where things go ──────────────────────────────────────────────────────────────────────────────


def test_with_a_prefix_of_their_own_ordinary_users_can_install(build):
    """An install to places where they may not write would fail."""
    user = []
    if os.geteuid() == 0:
        # Somebody who may read what only root can, as the directories of tests are; and write what is his.
        user = ["setpriv", "--reuid=12345", "--regid=12345", "--clear-groups", "--inh-caps=-all,+dac_read_search",
                "--ambient-caps=-all,+dac_read_search"]
        build.prefix.mkdir()
        for path in (build.prefix, build.place / "meson-logs"):
            os.chown(path, 12345, 12345)
        (build.place / "meson-logs/install-log.txt").unlink(missing_ok=True)  # another test's, and so root's
    call(*user, "meson", "install", "-C", build.place, "--no-rebuild", "--quiet")
    installed = build.files()
    assert {"bin/sandbox-run", "bin/sandbox-serve", "etc/sandbox-run/serve.conf"} <= installed
    assert f"[{build.conf}]" in call(build.prefix / "bin/sandbox-serve", "--help").stdout
    build.uninstall()
    assert build.files() == {"etc/sandbox-run/serve.conf"}


def test_the_systems_own_prefixes_have_their_configuration_in_etc():
    """This checkout's build has such a one, unless somebody has chosen another."""
    program = pathlib.Path(os.environ.get("SANDBOX_SERVE") or CHECKOUT / "build/sandbox-serve")
    options = call("meson", "introspect", "--buildoptions", CHECKOUT / "build").stdout
    if not re.search(r'"name": "prefix", "value": "/usr(/local)?"', options) or not program.exists():
        pytest.skip("the build has another prefix, or no service")
    assert "[/etc/sandbox-run/serve.conf]" in call(program, "--help").stdout


def test_what_is_installed_runs_as_it_is(build, tmp_path):
    """No ldconfig, no LD_LIBRARY_PATH, whatever the prefix."""
    build.install("--quiet")
    environment = {"PATH": os.environ["PATH"], "PKG_CONFIG_PATH": str(next(build.prefix.glob("lib/**/pkgconfig")))}
    call(build.prefix / "bin/sandbox-serve", "--version", env=environment)
    call(build.prefix / "bin/sandbox-rootfs", "--version", env=environment)
    source, program = tmp_path / "program.c", tmp_path / "program"
    source.write_text('#include <stdio.h>\n#include <sandbox.h>\nint main(void) { return puts(sb_version()) < 0; }\n')
    call("sh", "-c", f"cc {source} -o {program} $(pkg-config --cflags --libs libsandbox)", env=environment)
    version = call(program, env=environment).stdout.strip()
    assert call(build.prefix / "bin/sandbox-run", "--version").stdout.strip().endswith(version)
    linked = call("readelf", "-d", program).stdout
    assert "libsandbox.so.1" in linked, linked


# ── The configuration ────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("options", [[], ["--only-changed"], ["--quiet"]], ids=["", "only changed", "quiet"])
def test_an_update_keeps_an_edited_configuration_and_puts_its_own_beside_it(build, options):
    build.install()
    installed = build.conf.read_bytes()
    build.conf.write_bytes(installed.replace(b"#jobs = 0", b"jobs = 3"))
    edited = build.conf.read_bytes()
    assert edited != installed
    said = build.install(*options)
    assert build.conf.read_bytes() == edited and build.new.read_bytes() == installed
    assert f"{build.conf} has been edited and stays; this version's is {build.new}\n" in said.stderr


def test_uninstalling_leaves_an_edited_configuration(build):
    build.install()
    build.conf.write_text("tokens = /etc/sandbox-run/tokens\n")
    build.uninstall()
    assert build.files() == {"etc/sandbox-run/serve.conf"}
    assert build.conf.read_text() == "tokens = /etc/sandbox-run/tokens\n"


def test_a_packager_gets_the_configuration_below_destdir(build, tmp_path):
    build.install("--destdir", tmp_path / "root")
    assert (tmp_path / "root" / build.conf.relative_to("/")).exists() and not build.prefix.exists()


@pytest.fixture
def put(tmp_path):
    """put(text) installs that as the configuration; gives what it says."""
    directory = tmp_path / "etc"

    def put(text, status=0):
        (tmp_path / "serve.conf").write_text(text, "utf-8")
        # It speaks to the standard error of who calls it, as meson does: without showing what it says itself.
        ran = subprocess.run([sys.executable, "-c", "import subprocess, sys\n"
                              "sys.exit(subprocess.run(sys.argv[1:], capture_output=True).returncode)",
                              sys.executable, SCRIPT, tmp_path / "serve.conf", directory], stderr=subprocess.PIPE, text=True)
        assert ran.returncode == status, ran
        return ran.stderr

    put.file, put.new = directory / "serve.conf", directory / "serve.conf.new"
    return put


def test_a_configuration_that_nobody_has_edited_is_updated(put):
    assert put(TEXT) == "" and put.file.read_text().startswith(TEXT)
    assert put(TEXT + "#more = 1\n") == ""
    assert put.file.read_text().startswith(TEXT + "#more = 1\n")
    assert put.file.stat().st_mode & 0o777 == 0o644 and os.listdir(put.file.parent) == ["serve.conf"]


def test_an_update_leaves_the_configurations_owner_and_mode(put):
    put(TEXT)
    put.file.chmod(0o600)
    if os.geteuid() == 0:
        os.chown(put.file, 12, 34)
    before = put.file.stat()
    put(TEXT + "#more = 1\n")
    after = put.file.stat()
    assert (before.st_mode, before.st_uid, before.st_gid) == (after.st_mode, after.st_uid, after.st_gid)
    assert "#more" in put.file.read_text()


EDITS = {
    "a line": lambda file: file.write_text(file.read_text().replace("#jobs = 0", "jobs = 3")),
    "a comment": lambda file: file.write_text("# mine\n" + file.read_text()),
    "a line at its end": lambda file: file.write_text(file.read_text() + "jobs = 3\n"),
    "a space": lambda file: file.write_text(file.read_text().replace("0\n", "0 \n", 1)),
    "its last line": lambda file: file.write_text(TEXT),
    "everything": lambda file: file.write_text(""),
    "line ends": lambda file: file.write_bytes(file.read_bytes().replace(b"\n", b"\r\n")),
    "bytes that are no text": lambda file: file.write_bytes(b"\xff\xfe" + file.read_bytes()),
    "a link": lambda file: (file.rename(file.with_name("mine")), file.symlink_to("mine")),
    "a link to nothing": lambda file: (file.unlink(), file.symlink_to("/nowhere/mine")),
    "a directory": lambda file: (file.unlink(), file.mkdir()),
}


@pytest.mark.parametrize("name", EDITS)
def test_whatever_was_edited_stays(put, name):
    put(TEXT)
    EDITS[name](put.file)
    before = (put.file.lstat().st_ino, put.file.read_bytes() if put.file.is_file() else None)
    for _ in range(2):
        assert "has been edited and stays" in put(TEXT + "#more = 1\n")
        assert (put.file.lstat().st_ino, put.file.read_bytes() if put.file.is_file() else None) == before
        assert put.new.read_text().startswith(TEXT + "#more = 1\n")


def test_a_new_one_that_has_been_edited_stays_too(put):
    put(TEXT)
    put.file.write_text("jobs = 3\n")
    put(TEXT)
    put.new.write_text("jobs = 4\n")
    assert put(TEXT) and put.new.read_text() == "jobs = 4\n"
    assert f"remove {put.new.name}" in put(TEXT)


def test_a_new_one_that_is_taken_as_it_is_is_updated_from_then_on(put):
    put(TEXT)
    put.file.write_text("jobs = 3\n")
    put(TEXT)
    put.new.rename(put.file)
    assert put(TEXT + "#more = 1\n") == "" and "#more" in put.file.read_text() and not put.new.exists()


def test_where_it_may_not_write_the_installer_says_so(tmp_path):
    (tmp_path / "etc").write_text("")
    (tmp_path / "serve.conf").write_text(TEXT)
    ran = subprocess.run([sys.executable, SCRIPT, tmp_path / "serve.conf", tmp_path / "etc"], capture_output=True, text=True)
    assert ran.returncode == 1 and f"{tmp_path}/etc/serve.conf can't be installed" in ran.stderr and "-Dprefix" in ran.stderr

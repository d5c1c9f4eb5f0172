"""sandbox-rootfs that fails, is ended or is used wrongly: it names the cause, and leaves nothing."""

import contextlib
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess

import pytest

from rootfs_images import PROGRAM, ROOTFS_DIR, Image, directory, layer, needs_record, needs_root, needs_tools
from sandbox_run import CHECKOUT

pytestmark = needs_record


@needs_tools
@pytest.mark.parametrize("make, hint", [
    (lambda image, path: path / "missing", "does not exist"),
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


@contextlib.contextmanager
def importing(target, **popen):
    """An import in the midst of its work, and its connection to a registry that never answers."""
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        source = f"docker://127.0.0.1:{silent.getsockname()[1]}/a:b"
        process = subprocess.Popen([PROGRAM, "import", "--insecure", source, target], stderr=subprocess.DEVNULL, **popen)
        connection, _ = silent.accept()
        with connection:
            yield process, connection


@needs_tools
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_an_import_and_leaves_nothing(rootfs, number):
    with importing(rootfs.target, start_new_session=True) as (process, _):
        assert rootfs.left() == [".rootfs.work"]
        process.send_signal(number)
        assert process.wait() == 128 + number
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
    with importing(rootfs.target) as (process, connection):
        process.kill()
        process.wait()
        while connection.recv(4096):
            pass  # until skopeo is gone
    rootfs.take(image().layout())
    assert rootfs.left() == ["rootfs"] and rootfs.faults(status=0) == []


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


# A tool, its error output, and the sentence that sandbox-rootfs makes of it.
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
    "no such host": ("mmdebstrap", "  Temporary failure resolving 'deb.debian.org'", "this host can't resolve deb.debian.org"),
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
    "no such registry": ("skopeo", "dial tcp: lookup no-such.invalid on 10.0.0.1:53: no such host", "this host can't resolve no-such.invalid"),
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
    assert sorted(told) == [0, 1] and "exists already" in told[1], told
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

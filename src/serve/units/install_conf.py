"""Puts serve.conf where the service looks for it, and keeps one that has been edited. Called by `meson install`, which
writes over what it installs itself, and removes it with `ninja uninstall`.

    install_conf.py FILE DIRECTORY

The installed file's last line is a checksum of the lines before it. A file with a right one is as some version installed
it, and another version may replace it; beside any other the new one is put, as serve.conf.new.
"""

import ctypes
import hashlib
import os
import pathlib
import stat
import sys

CHECKSUM = b"# As long as nothing here is edited, an update replaces this file. "


PIDFD_GETFD = 438


def tell(text):
    """Writes to the standard error of meson: 1.0 shows what a script says only when it fails."""
    meson = os.getppid()
    theirs = ctypes.CDLL(None).syscall(PIDFD_GETFD, os.pidfd_open(meson), 2, 0)
    if theirs < 0:  # Yama may forbid it
        theirs = os.open(f"/proc/{meson}/fd/2", os.O_WRONLY | os.O_APPEND | os.O_NOCTTY)
    with open(theirs, "w", encoding="utf-8") as stream:
        print(text, file=stream)


def sealed(text):
    return text + CHECKSUM + hashlib.sha256(text).hexdigest().encode() + b"\n"


def may_replace(path):
    """Whether nothing is there, or a file that nobody has edited."""
    if not os.path.lexists(path):
        return True
    if not stat.S_ISREG(path.lstat().st_mode):
        return False
    text = path.read_bytes()
    return sealed(text.rpartition(CHECKSUM)[0]) == text


def write(path, text):
    """In one step: a service that starts meanwhile reads the old file or the new one. Owner and mode stay."""
    made = path.with_name(f".{path.name}.installed")
    made.unlink(missing_ok=True)
    made.write_bytes(text)
    made.chmod(0o644)
    if path.exists():
        before = path.stat()
        os.chown(made, before.st_uid, before.st_gid)
        made.chmod(stat.S_IMODE(before.st_mode))
    made.rename(path)


def install(path, text):
    """Gives what the one who installs has to know."""
    new = path.with_name(f"{path.name}.new")
    if may_replace(path):
        write(path, text)
        if may_replace(new):
            new.unlink(missing_ok=True)
        return None
    if not may_replace(new):
        return f"{path} and {new.name} beside it have been edited and stay: remove {new.name} to get this version's"
    write(new, text)
    return f"{path} has been edited and stays; this version's is {new}"


def main(source, directory):
    path = pathlib.Path(os.environ.get("DESTDIR", "") + directory, "serve.conf")
    os.umask(0o022)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        said = install(path, sealed(pathlib.Path(source).read_bytes()))
    except OSError as error:
        print(f"{path} can't be installed: {error.strerror}: do it as a user who may write there, or choose another "
              "place with -Dprefix or -Dsysconfdir", file=sys.stderr)
        return 1
    if said is not None:
        tell(said)
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))

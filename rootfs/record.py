"""The record of a root file system, rootfs.json: what it was made from, and a digest of all that is in it."""

import hashlib
import json
import os
import stat

from failure import Failed
from nofollow import read_below, walk, write_file

FORMAT = 1
HOME = "usr/lib/sandbox-run"
RECORD = f"{HOME}/rootfs.json"
KEYS = {"format": int, "runner": int, "python": str, "version": str, "digest": str, "source": str}


def hash_file(fd, name):
    file = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=fd)
    with open(file, "rb", buffering=0) as stream:
        if not stat.S_ISREG(os.fstat(file).st_mode):
            raise Failed(f"{name} changed while it was read: do not change the tree meanwhile")
        digest = hashlib.sha256()
        while data := stream.read(1 << 20):
            digest.update(data)
        return digest.hexdigest()


def line_of(fd, name, path, info):
    """The digest's line for one entry: path, kind, mode, and content or target."""
    mode = stat.S_IMODE(info.st_mode)
    if stat.S_ISDIR(info.st_mode):
        rest = ("d", f"{mode:04o}", "")
    elif stat.S_ISLNK(info.st_mode):
        rest = ("l", "", os.readlink(name, dir_fd=fd))
    elif stat.S_ISREG(info.st_mode):
        rest = ("f", f"{mode:04o}", hash_file(fd, name))
    else:
        rest = ("?", f"{mode:04o}", "")
    return b"\0".join(os.fsencode(part) for part in (path, *rest))


def digest_of(lines):
    """lines: path → line. The record is not among them."""
    digest = hashlib.sha256()
    for path in sorted(lines, key=os.fsencode):
        digest.update(lines[path] + b"\n")
    return f"sha256:{digest.hexdigest()}"


def lines_of(fd, path=""):
    return {inner: line_of(directory, name, inner, info)
            for directory, name, inner, info in walk(fd, path) if inner != RECORD}


def read_record(fd):
    """The record, or the reason why it can't be used."""
    data = read_below(fd, RECORD, 65536)
    if data is None:
        return None, "is missing"
    try:
        record = json.loads(data)
    except (ValueError, RecursionError):
        return None, "is not JSON"
    if not isinstance(record, dict) or set(record) != set(KEYS):
        return None, "has keys other than " + ", ".join(KEYS)
    for key, kind in KEYS.items():
        if type(record[key]) is not kind:
            return None, f"has the wrong type for {key}"
    if record["format"] != FORMAT:
        return None, f"has format {record['format']}; this version reads format {FORMAT}"
    return record, None


def write_record(fd, record):
    write_file(fd, os.path.basename(RECORD), (json.dumps(record) + "\n").encode())

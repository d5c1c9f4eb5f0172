"""The faults of a root file system: whatever is not as it was made, or is not safe to run jobs in."""

import _imp
import errno
import json
import os
import stat
import sys

import cell
from failure import Failed, printable
from interpreter import (NOTEBOOK, RUNNER, described, load_runner, missing_name, protocol_of, run_python)
from nofollow import DIRECTORY, is_program, open_tree, read_below, walk
from record import RECORD, digest_of, line_of, read_record
from skeleton import DEV_ENTRIES, DEV_LINKS, PLACES


def check_entry(directory, name, info, owner):
    """Faults of one entry: (word, what is wrong)."""
    mode = info.st_mode
    if stat.S_IFMT(mode) not in (stat.S_IFDIR, stat.S_IFREG, stat.S_IFLNK):
        yield "device", "is a device, FIFO or socket"
        return
    if info.st_uid != owner:
        yield "owner", f"belongs to uid {info.st_uid}, the root file system to uid {owner}"
    if stat.S_ISLNK(mode):
        return
    if mode & (stat.S_ISUID | stat.S_ISGID):
        yield "setid", "is set-user-ID or set-group-ID"
    if mode & 0o022:
        yield "writable", "can be written by users other than its owner"
    wanted = 0o055 if stat.S_ISDIR(mode) else 0o044
    if mode & wanted != wanted:
        yield "unreadable", "can't be read by everyone"
    if stat.S_ISREG(mode):
        handle = os.open(name, os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=directory)
        try:
            if "security.capability" in os.listxattr(f"/proc/self/fd/{handle}"):
                yield "capability", "has file capabilities"
        finally:
            os.close(handle)


def check_places(fd):
    for name, wanted in PLACES:
        try:
            info = os.stat(name, dir_fd=fd, follow_symlinks=False)
        except FileNotFoundError:
            if wanted:
                yield name, "place", "is missing: jobs need this mount point"
            continue
        if not stat.S_ISDIR(info.st_mode):
            yield name, "place", "is not a directory: jobs need this mount point"
            continue
        try:
            below = os.open(name, DIRECTORY, dir_fd=fd)
        except PermissionError:
            continue  # found as unreadable
        entries = sorted(os.listdir(below))
        if name == "dev":
            yield from check_dev(below, entries)
        elif entries:
            yield name, "place", "is not empty: jobs mount over it"
        os.close(below)


def check_dev(fd, entries):
    if entries != DEV_ENTRIES:
        yield "dev", "place", f"does not have exactly these entries: {', '.join(DEV_ENTRIES)}"
    for name in set(entries) & set(DEV_ENTRIES):
        info = os.stat(name, dir_fd=fd, follow_symlinks=False)
        if name in DEV_LINKS:
            right = stat.S_ISLNK(info.st_mode) and os.readlink(name, dir_fd=fd) == DEV_LINKS[name]
        elif name == "shm":
            right = stat.S_ISDIR(info.st_mode)
        else:
            right = stat.S_ISREG(info.st_mode) and info.st_size == 0
        if not right:
            yield f"dev/{name}", "place", "is not of the kind that jobs need there"


def check_runner(fd, record, ours):
    source = read_below(fd, RUNNER)
    theirs = protocol_of(source)
    if source is None:
        yield RUNNER, "runner", "is missing"
    elif theirs is None:
        yield RUNNER, "runner", "has no line 'PROTOCOL = number'"
    elif theirs != protocol_of(ours):
        yield RUNNER, "protocol", (f"speaks protocol {theirs}, this sandbox-run "
                                   f"{protocol_of(ours)}")
    elif record and record["runner"] != theirs:
        yield RUNNER, "protocol", f"speaks protocol {theirs}, the record says {record['runner']}"
    for path in (f"{RUNNER}c", NOTEBOOK, f"{NOTEBOOK}c"):
        if read_below(fd, path) is None:
            yield path, "runner", "is missing"


def check_python(tree, fd, record):
    python = record["python"]
    where = printable(python.lstrip("/"))
    if not is_program(fd, python):
        yield where, "python", "is not a program, though the record names it"
        return
    source = read_below(fd, RUNNER) or b""
    try:
        answer = run_python(tree, python, "describe", cell.builder_id(), source)
        path, version, header = described(fd, answer)
    except cell.CellError as error:
        if error.errnum not in (errno.EPERM, errno.EACCES, errno.ENOSPC) or os.geteuid() == 0:
            yield where, "python", f"does not start: {error}"
            return
        # This user may not make namespaces, so the program can't be run: its name must do.
        if not os.path.basename(python).startswith("python" + record["version"].rsplit(".", 1)[0]):
            yield where, "python", f"does not have the name of a python {record['version']}"
        return
    except Failed as error:
        yield where, "python", f"does not run: {error}"
        return
    if version != record["version"]:
        yield where, "python", f"is version {version}, the record says {record['version']}"
    if path != python:
        yield where, "python", f"is in fact {path}"
    elif link := missing_name(fd, path):
        yield link, "name", "is missing: scripts can't find `python`"
    pyc = read_below(fd, f"{RUNNER}c")
    if source and pyc is not None and pyc[:len(header)] != header:
        yield f"{RUNNER}c", "runner", "was not made from runner.py by that python"
    source, pyc = read_below(fd, NOTEBOOK), read_below(fd, f"{NOTEBOOK}c")
    header = header[:8] + _imp.source_hash(int.from_bytes(header[:4], "little"), source or b"")
    if source is not None and pyc is not None and pyc[:len(header)] != header:
        yield f"{NOTEBOOK}c", "runner", "was not made from notebook.py by that python"


def findings(tree, runner_path):
    ours = load_runner(runner_path)
    fd = open_tree(tree)
    info = os.fstat(fd)
    if info.st_mode & 0o022:
        yield ".", "writable", "can be written by users other than its owner"
    if info.st_uid not in (0, os.geteuid()):
        yield ".", "owner", f"belongs to uid {info.st_uid}, who can change it"
    record, reason = read_record(fd)
    if record is None:
        yield RECORD, "record", reason
    lines = {}
    for directory, name, path, entry in walk(fd, pass_by=PermissionError):
        for word, text in check_entry(directory, name, entry, info.st_uid):
            yield path, word, text
        if path != RECORD:
            lines[path] = readable_line(directory, name, path, entry)
    yield from check_places(fd)
    yield from check_runner(fd, record, ours)
    if record is not None:
        if digest_of(lines) != record["digest"]:
            yield RECORD, "digest", "does not match the tree: a file has been changed since"
        yield from check_python(tree, fd, record)


def readable_line(directory, name, path, info):
    try:
        return line_of(directory, name, path, info)
    except PermissionError:
        return b"unreadable"


def check(tree, runner_path, as_json):
    found = [{"path": path, "fault": word, "message": text}
             for path, word, text in findings(tree, runner_path)]
    if as_json:
        fd = open_tree(tree)
        print(json.dumps({"rootfs": tree, "ok": not found, "record": read_record(fd)[0],
                          "findings": found}))
    else:
        for finding in found:
            print(printable(f"/{finding['path']} {finding['message']} ({finding['fault']})"))
        if not found:
            record = read_record(open_tree(tree))[0]
            print(f"{tree} is in order: python {record['version']}, {record['python']}, "
                  f"runner {record['runner']}, from {printable(record['source'])}")
        else:
            sys.stdout.flush()  # the faults come before the remedy
            print(remedy(found), file=sys.stderr)
    return 1 if found else 0


def remedy(found):
    if {finding["fault"] for finding in found} <= {"protocol", "name"}:
        return "sandbox-rootfs: run `sandbox-rootfs refresh` on it"
    if {finding["fault"] for finding in found} == {"digest"}:
        return ("sandbox-rootfs: record it again with refresh --force if the change is your own; else make "
                "it again with build or import, and --force")
    return "sandbox-rootfs: make it again with build or import, and --force"

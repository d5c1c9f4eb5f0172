"""The trees that sandbox-rootfs works on: unpack, put in order, record, check, exchange.

The tree may be hostile, and we may be root. So nothing here resolves a path of the tree: directories
are opened one name at a time, never through a link, and entries other than directories, files and
links are deleted unopened. Programs in a cell (cell.py) resolve paths and run programs, and their
answers are checked.

Called by sandbox-rootfs alone:

    tree.py unpack LAYOUT TREE                      an OCI layout's image "rootfs" → TREE
    tree.py debian TREE PACKAGE…                    removes files that scripts don't need
    tree.py finish TREE --runner F --source S [--python P]
    tree.py check DIR --runner F [--json]
    tree.py refresh DIR --runner F [--force]
    tree.py place TREE DIR [--replace]              the last step: one rename
"""

import _imp
import argparse
import ctypes
import errno
import hashlib
import json
import os
import re
import signal
import stat
import sys

# -I keeps the script's directory, with all other files in it, out of the path.
sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))
import cell  # noqa: E402

# Put in by the build.
POLICIES = "@policydir@"

FORMAT = 1
HOME = "usr/lib/sandbox-run"
RECORD = f"{HOME}/rootfs.json"
RUNNER = f"{HOME}/runner.py"
NOTEBOOK = f"{HOME}/notebook.py"
KEYS = {"format": int, "runner": int, "python": str, "version": str, "digest": str, "source": str}

# Deeper than any honest tree, and far below the number of files that this process can hold open.
DEEPEST = 256

# Mount points of jobs, and whether the directory must exist. All are empty except for dev.
PLACES = (("proc", True), ("dev", True), ("tmp", True), ("work", True), ("sys", False))

# /dev is not covered: jobs have the host's nodes bound over the files, and shm over the directory.
DEV_NODES = ("null", "zero", "full", "random", "urandom")
DEV_LINKS = {"fd": "/proc/self/fd", "stdin": "/proc/self/fd/0", "stdout": "/proc/self/fd/1",
             "stderr": "/proc/self/fd/2"}
DEV_ENTRIES = sorted((*DEV_NODES, *DEV_LINKS, "shm"))

FILES = {
    "passwd": "root:x:0:0:root:/root:/usr/sbin/nologin\n"
              "sandbox:x:1000:1000:sandbox:/work:/bin/sh\n"
              "nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n",
    "group": "root:x:0:\nsandbox:x:1000:\nnogroup:x:65534:\n",
    "hostname": "sandbox\n",
    "hosts": "127.0.0.1 localhost sandbox\n::1 localhost\n",
    "resolv.conf": "",
    "nsswitch.conf": "".join(f"{name}: files\n" for name in (
        "passwd", "group", "shadow", "hosts", "networks", "protocols", "services", "ethers",
        "rpc")),
}
# Passwords, and copies of the above.
SECRETS = ("shadow", "gshadow", "shadow-", "gshadow-", "passwd-", "group-", "subuid", "subgid")

INTERPRETERS = ("/usr/local/bin/python3", "/usr/bin/python3", "/bin/python3",
                "/opt/conda/bin/python3")
# Where jobs look for programs, unless their policy says otherwise.
PROGRAMS = ("usr/local/bin", "usr/bin", "bin")
PYTHON_ENV = {"PATH": "/usr/local/bin:/usr/bin:/bin", "LANG": "C.UTF-8", "HOME": "/tmp"}

# Bounds for umoci: images of 20 GiB exist.
UNPACKED = cell.Bounds(seconds=3600, disk=64 << 30, files=8 << 20)

AT_FDCWD = -100
RENAME_NOREPLACE, RENAME_EXCHANGE = 1, 2

DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


class Failed(Exception):
    """One sentence for a person: what failed, and what to do next."""


# ── Walking ──────────────────────────────────────────────────────────────────────────────────────


def open_tree(path):
    try:
        return os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError as error:
        raise Failed(f"{path}: {error.strerror}: name a directory that sandbox-rootfs made") \
            from None


def walk(fd, path="", depth=0, pass_by=()):
    """Yields (descriptor of the directory, name, path, stat), directories before what is in them.

    A directory is opened only after it was yielded: the caller may have made it readable. One that
    fails to open with an exception of `pass_by` is not entered. Order is that of the names' bytes,
    so that two walks agree."""
    if depth > DEEPEST:
        raise Failed(f"/{path}: directories are nested deeper than {DEEPEST}: "
                     "no root file system needs that, make another image")
    for name in sorted(os.listdir(fd), key=os.fsencode):
        inner = f"{path}/{name}" if path else name
        info = os.stat(name, dir_fd=fd, follow_symlinks=False)
        yield fd, name, inner, info
        if stat.S_ISDIR(info.st_mode):
            try:
                below = os.open(name, DIRECTORY, dir_fd=fd)
            except pass_by:
                continue
            try:
                yield from walk(below, inner, depth + 1, pass_by)
            finally:
                os.close(below)


def remove(fd, name):
    """Removes a file, or a directory with its contents, if it exists."""
    try:
        info = os.stat(name, dir_fd=fd, follow_symlinks=False)
    except FileNotFoundError:
        return
    if not stat.S_ISDIR(info.st_mode):
        os.unlink(name, dir_fd=fd)
        return
    below = os.open(name, DIRECTORY, dir_fd=fd)
    try:
        for inner in os.listdir(below):
            remove(below, inner)
    finally:
        os.close(below)
    os.rmdir(name, dir_fd=fd)


def open_below(fd, path, create=False):
    """Opens a directory of the tree. A link in the way is an error: it could lead out."""
    fd = os.dup(fd)
    done = ""
    for name in path.split("/"):
        done = f"{done}/{name}"
        try:
            if create:
                try:
                    os.mkdir(name, 0o755, dir_fd=fd)
                except FileExistsError:
                    pass
            below = os.open(name, DIRECTORY, dir_fd=fd)
        except OSError as error:
            raise Failed(f"{done} is not a directory ({error.strerror}): an image whose {done} is a "
                         "link or a file can't be used, make it a directory there") from None
        finally:
            os.close(fd)
        fd = below
    return fd


def read_file(fd, name, limit=1 << 20):
    """The content of a regular file, up to `limit` bytes; None if it does not exist."""
    try:
        # Not blocking: it may be a FIFO that nobody writes to.
        file = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=fd)
    except OSError:
        return None
    with open(file, "rb") as stream:
        return stream.read(limit) if stat.S_ISREG(os.fstat(file).st_mode) else None


def read_below(fd, path, limit=1 << 20):
    directory, name = os.path.split(path)
    try:
        below = open_below(fd, directory)
    except Failed:
        return None
    try:
        return read_file(below, name, limit)
    finally:
        os.close(below)


def write_file(fd, name, data):
    """Replaces any entry of that name by a new file; never writes through a link, or into a file
    that also has another name."""
    remove(fd, name)
    file = os.open(name, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o644,
                   dir_fd=fd)
    with open(file, "wb") as stream:
        os.fchmod(file, 0o644)
        stream.write(data)


# ── Putting in order ─────────────────────────────────────────────────────────────────────────────


def plain_mode(info):
    """Readable by all, writable by the owner alone, nothing set-id, nothing sticky."""
    executable = stat.S_ISDIR(info.st_mode) or info.st_mode & 0o111
    return 0o755 if executable else 0o644


def drop_attributes(handle):
    """Removes extended attributes: file capabilities, access lists, a builder's notes."""
    for name in os.listxattr(handle):
        try:
            os.removexattr(handle, name)
        except OSError:
            if name == "security.capability":
                raise


def normalise(fd, owner):
    """Leaves directories, files and links with plain modes, all `owner`'s; deletes the rest."""
    as_root = os.geteuid() == 0
    for directory, name, _, info in walk(fd):
        kind = stat.S_IFMT(info.st_mode)
        if kind not in (stat.S_IFDIR, stat.S_IFREG, stat.S_IFLNK):
            os.unlink(name, dir_fd=directory)
            continue
        if as_root and (info.st_uid, info.st_gid) != (owner, owner):
            os.chown(name, owner, owner, dir_fd=directory, follow_symlinks=False)
        if kind == stat.S_IFLNK:
            continue
        handle = os.open(name, os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=directory)
        try:
            itself = f"/proc/self/fd/{handle}"  # chmod can't take an O_PATH descriptor
            if stat.S_IMODE(os.fstat(handle).st_mode) != plain_mode(info):
                os.chmod(itself, plain_mode(info))
            drop_attributes(itself)
        finally:
            os.close(handle)
    if as_root:
        os.chown(fd, owner, owner)
    os.chmod(fd, 0o755)


def make_places(fd):
    for name, wanted in PLACES:
        remove(fd, name)
        if wanted:
            os.mkdir(name, 0o755, dir_fd=fd)
    dev = os.open("dev", DIRECTORY, dir_fd=fd)
    try:
        os.mkdir("shm", 0o755, dir_fd=dev)
        for name in DEV_NODES:
            write_file(dev, name, b"")
        for name, target in DEV_LINKS.items():
            os.symlink(target, name, dir_fd=dev)
    finally:
        os.close(dev)


def write_files(fd):
    etc = open_below(fd, "etc", create=True)
    try:
        for name in SECRETS:
            remove(etc, name)
        for name, text in FILES.items():
            write_file(etc, name, text.encode())
    finally:
        os.close(etc)


# ── The record ───────────────────────────────────────────────────────────────────────────────────


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


def protocol_of(source):
    found = re.search(rb"^PROTOCOL = (\d+)\b", source or b"", re.M)
    return int(found[1]) if found else None


def load_runner(path):
    with open(path, "rb") as file:
        source = file.read()
    if protocol_of(source) is None:
        raise Failed(f"{path} has no line 'PROTOCOL = number': install sandbox-run again")
    return source


def load_notebook(runner_path):
    with open(os.path.join(os.path.dirname(runner_path), "notebook.py"), "rb") as file:
        return file.read()


def compiled(tree, python, owner, runner, notebook):
    """The files that jobs start from, compiled by the tree's own python."""
    return {"runner.py": runner, "runner.pyc": run_python(tree, python, "runner", owner, runner),
            "notebook.py": notebook, "notebook.pyc": run_python(tree, python, "notebook", owner, notebook)}


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


# ── The interpreter ──────────────────────────────────────────────────────────────────────────────


def helper(name):
    path = os.path.join(os.path.dirname(os.path.realpath(__file__)), name)
    with open(path, encoding="utf-8") as file:
        return file.read()


def filter_path():
    """The filter of jobs, compiled by the build. A directory of other policies may lack it."""
    installed = POLICIES
    if installed.startswith("@"):  # in the checkout
        installed = os.path.join(os.path.dirname(os.path.realpath(__file__)), "../build/policies")
    paths = [os.path.join(policies, "seccomp/default.bpf")
             for policies in (os.environ.get("SANDBOX_POLICIES"), installed) if policies]
    return next(filter(os.path.exists, paths), paths[-1])


def run_python(tree, python, mode, owner, stdin, writable=False):
    status, out, err = cell.run(
        tree, [python, "-I", "-B", "-c", helper("inside.py"), mode], owner=owner, stdin=stdin,
        writable=writable, env=PYTHON_ENV, code=cell.read_filter(filter_path()))
    if status != 0:
        refuse_full(err, tree)
        last = err.decode("utf-8", "replace").strip().rpartition("\n")[2][:200]
        raise Failed(f"{python} of {tree} failed ({printable(last) or f'status {status}'}): "
                     "it must be a Python 3 that runs on this machine")
    return out


def refuse_full(said, tree):
    """A program in a cell that failed because the disk is full is not to blame."""
    if re.search(rb"(?i)no space left on device|disk quota exceeded", said):
        raise Failed(no_room(tree))


def no_room(path):
    return f"no room is left for {path}: make some, or name another place"


def remedy_of(error):
    """The remedy for a failed system call."""
    where = error.filename or "the root file system"
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return no_room(where)
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return f"{where}: {error.strerror}: run this as a user who may write there, or name another place"
    return f"{where}: {error.strerror}"


def printable(text):
    """Untrusted text, made harmless on a terminal."""
    return "".join(char if char.isprintable() else "?" for char in text)


def described(fd, answer):
    """The interpreter's description of itself, as far as it can be true."""
    try:
        answer = json.loads(answer)
        python, version, pyc = answer["python"], answer["version"], bytes.fromhex(answer["pyc"])
    except (ValueError, KeyError, TypeError, RecursionError):
        raise Failed("the interpreter's answer is nonsense: name another one with --python") from None
    if not isinstance(python, str) or not re.fullmatch(r"(/[A-Za-z0-9._+-]+)+", python) \
            or "/." in python:
        raise Failed("the interpreter's path has characters other than letters, digits and ._+-: "
                     "move it, or name another one with --python")
    if not isinstance(version, str) or not re.fullmatch(r"3\.\d{1,3}\.\d{1,3}", version):
        raise Failed("the interpreter is not a Python 3: name another one with --python")
    if not is_program(fd, python):
        raise Failed(f"{printable(python)} is not a program in that tree: name another with --python")
    return python, version, pyc


def is_program(fd, path):
    directory, name = os.path.split(path.lstrip("/"))
    try:
        below = open_below(fd, directory) if directory else os.dup(fd)
    except Failed:
        return False
    try:
        info = os.stat(name, dir_fd=below, follow_symlinks=False)
        return stat.S_ISREG(info.st_mode) and bool(info.st_mode & 0o111)
    except OSError:
        return False
    finally:
        os.close(below)


def find_python(tree, asked, owner, runner):
    """Lets the first existing interpreter settle the tree; gives its answer."""
    for python in [asked] if asked else INTERPRETERS:
        try:
            return run_python(tree, python, "settle", owner, runner, writable=True)
        except cell.CellError as error:
            if error.errnum not in (errno.ENOENT, errno.ENOTDIR, errno.ELOOP):
                raise
    raise Failed(f"no python3 in the tree ({', '.join([asked] if asked else INTERPRETERS)}): "
                 "take an image that has one, or name its path with --python")


def missing_name(fd, python):
    """Where to make a link so that the interpreter also has the name `python`; None if that name exists
    already, even for another program."""
    place = os.path.dirname(python.lstrip("/"))
    if any(has_entry(fd, path, "python") for path in (place, *PROGRAMS)):
        return None
    return os.path.join(place, "python")


def has_entry(fd, path, name):
    try:
        below = open_below(fd, path or ".")
    except Failed:
        return False
    try:
        os.stat(name, dir_fd=below, follow_symlinks=False)
        return True
    except FileNotFoundError:
        return False
    finally:
        os.close(below)


def make_name(fd, link, python):
    """Makes that link; its line for the digest."""
    below = open_below(fd, os.path.dirname(link) or ".")
    name = os.path.basename(link)
    try:
        os.symlink(os.path.basename(python), name, dir_fd=below)
        return line_of(below, name, link, os.stat(name, dir_fd=below, follow_symlinks=False))
    finally:
        os.close(below)


def drop_name(fd, link):
    below = open_below(fd, os.path.dirname(link) or ".")
    try:
        remove(below, os.path.basename(link))
    finally:
        os.close(below)


# ── Commands ─────────────────────────────────────────────────────────────────────────────────────


def unpack(layout, tree):
    """Unpacks the layers with umoci, which sees only the layout and the empty tree. That matters: for a
    whiteout named '.wh...' umoci 0.4 deletes files above the tree."""
    owner = cell.builder_id()
    root = f"{tree}.cell"
    binds = [(layout, "layout", False), (tree, "tree", True), ("/usr", "usr", False)]
    for name in ("layout", "tree", "tmp", "usr"):
        os.makedirs(os.path.join(root, name))
    for name in ("bin", "sbin", "lib", "lib32", "lib64", "libx32"):
        if os.path.islink(f"/{name}"):
            os.symlink(os.readlink(f"/{name}"), f"{root}/{name}")
        elif os.path.isdir(f"/{name}"):
            os.mkdir(f"{root}/{name}")
            binds.append((f"/{name}", name, False))
    if os.geteuid() == 0:
        os.chown(tree, owner, owner)
    program = next((path for path in ("/usr/bin/umoci", "/usr/local/bin/umoci")
                    if os.path.exists(path)), None)
    if program is None:
        raise Failed("umoci is not installed: apt install umoci")
    status, _, err = cell.run(
        root, [program, "raw", "unpack", "--rootless", "--image", "/layout:rootfs", "/tree"],
        owner=owner, binds=binds, env={"PATH": "/usr/bin", "HOME": "/tmp"}, bounds=UNPACKED)
    if status != 0:
        refuse_full(err, tree)
        last = err.decode("utf-8", "replace").strip().rpartition("\n")[2][:300]
        raise Failed(f"the image's layers can't be unpacked ({printable(last)}): "
                     "the image is damaged or hostile, fetch or build it again")


def debian(tree, packages):
    owner = cell.builder_id()
    fd = open_tree(tree)
    normalise(fd, owner)
    status, _, err = cell.run(
        tree, ["/usr/bin/python3", "-I", "-B", "-c", helper("slim.py"), *packages], owner=owner,
        writable=True, env=PYTHON_ENV)
    if status != 0:
        refuse_full(err, tree)
        raise Failed("files of packages can't be removed: " + err.decode("utf-8", "replace")[-2000:])


def finish(tree, runner_path, source, python):
    runner, notebook = load_runner(runner_path), load_notebook(runner_path)
    owner = cell.builder_id()
    fd = open_tree(tree)
    # Before the cell, so that it works on plain directories of its own; and after it, since programs
    # there may have left anything behind.
    normalise(fd, owner)
    make_places(fd)
    answer = find_python(tree, python, owner, runner)
    normalise(fd, 0 if os.geteuid() == 0 else os.geteuid())
    make_places(fd)
    write_files(fd)
    path, version, _ = described(fd, answer)
    if link := missing_name(fd, path):
        make_name(fd, link, path)
    library = open_below(fd, os.path.dirname(HOME), create=True)
    remove(library, os.path.basename(HOME))
    os.mkdir(os.path.basename(HOME), 0o755, dir_fd=library)
    home = os.open(os.path.basename(HOME), DIRECTORY, dir_fd=library)
    for name, data in compiled(tree, path, owner, runner, notebook).items():
        write_file(home, name, data)
    write_record(home, {"format": FORMAT, "runner": protocol_of(runner), "python": path,
                        "version": version, "digest": digest_of(lines_of(fd)), "source": source})


def refresh(tree, runner_path, force):
    """Puts a new runner and record into an unchanged tree. The directory with
    the files is exchanged as a whole: a job sees the old or the new one."""
    runner, notebook = load_runner(runner_path), load_notebook(runner_path)
    fd = open_tree(tree)
    record, reason = read_record(fd)
    if record is None:
        raise Failed(f"{tree}/{RECORD} {reason}: make the root file system again with build or import")
    name = os.path.basename(HOME)
    new = f".{name}.new"
    library = open_below(fd, os.path.dirname(HOME))
    remove(library, new)  # of a refresh that was killed
    lines = lines_of(fd)
    if digest_of(lines) != record["digest"] and not force:
        raise Failed(f"{tree} has been changed since it was made: make it again with build or import, or give "
                     "--force to record it as it is now")
    owner = cell.builder_id()
    path, version, _ = described(
        fd, run_python(tree, record["python"], "describe", owner, runner))
    files = compiled(tree, record["python"], owner, runner, notebook)
    link = missing_name(fd, path)
    try:
        os.mkdir(new, 0o755, dir_fd=library)
        home = os.open(new, DIRECTORY, dir_fd=library)
        os.fchmod(home, 0o755)
        for inner, data in files.items():
            write_file(home, inner, data)
        lines = {path: line for path, line in lines.items() if not path.startswith(f"{HOME}/")}
        lines.update(lines_of(home, HOME))
        if link:
            lines[link] = make_name(fd, link, path)
        write_record(home, {**record, "runner": protocol_of(runner), "python": path,
                            "version": version, "digest": digest_of(lines)})
        rename(library, new, library, name, RENAME_EXCHANGE)
        link = None
    finally:
        if link:
            drop_name(fd, link)
        remove(library, new)


def rename(old_fd, old, new_fd, new, flags):
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.renameat2(old_fd, os.fsencode(old), new_fd, os.fsencode(new), flags) != 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code), new)


def is_ours(path):
    """Whether a directory may be replaced: it holds a record, or is empty."""
    fd = open_tree(path)
    try:
        return not os.listdir(fd) or read_below(fd, RECORD, 65536) is not None
    finally:
        os.close(fd)


def may_place(target, replace):
    """Refuses a target that must not be replaced. False: it does not exist."""
    if not os.path.lexists(target):
        return False
    if not replace:
        raise Failed(f"{target} exists already: give --force to replace it, or name another directory")
    if os.path.islink(target) or not os.path.isdir(target) or not is_ours(target):
        raise Failed(f"{target} is not a root file system that sandbox-rootfs made: not even --force "
                     "replaces it, name another directory or remove it yourself")
    return True


def place(tree, target, replace):
    """Moves a finished tree to its place; a tree that was there before ends up at `tree`."""
    flag = RENAME_EXCHANGE if may_place(target, replace) else RENAME_NOREPLACE
    rename(AT_FDCWD, tree, AT_FDCWD, target, flag)


# ── Check ────────────────────────────────────────────────────────────────────────────────────────


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


def arguments():
    parser = argparse.ArgumentParser(prog="sandbox-rootfs", description=__doc__.splitlines()[0])
    commands = parser.add_subparsers(dest="command", required=True)
    for name, positional, options in (
            ("unpack", ("layout", "tree"), ()),
            ("debian", ("tree", "packages"), ()),
            ("finish", ("tree",), ("runner", "source", "python")),
            ("check", ("tree",), ("runner", "json")),
            ("refresh", ("tree",), ("runner", "force")),
            ("may-place", ("target",), ("replace",)),
            ("place", ("tree", "target"), ("replace",))):
        command = commands.add_parser(name)
        for argument in positional:
            command.add_argument(argument, nargs="*" if argument == "packages" else None)
        for option in options:
            flag = option in ("json", "force", "replace")
            command.add_argument(f"--{option}", action="store_true" if flag else "store")
    return parser.parse_args()


def run(args):
    if args.command == "unpack":
        unpack(args.layout, args.tree)
    elif args.command == "debian":
        debian(args.tree, args.packages)
    elif args.command == "finish":
        finish(args.tree, args.runner, args.source, args.python)
    elif args.command == "check":
        return check(args.tree, args.runner, args.json)
    elif args.command == "refresh":
        refresh(args.tree, args.runner, args.force)
    elif args.command == "may-place":
        may_place(args.target, args.replace)
    else:
        place(args.tree, args.target, args.replace)
    return 0


def main():
    # Python's own answer to these would leave `finally` undone.
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda number, _: sys.exit(128 + number))
    os.umask(0o022)
    try:
        return run(arguments())
    except (Failed, cell.CellError) as error:
        print(f"sandbox-rootfs: {error}", file=sys.stderr)
    except KeyboardInterrupt:
        return 130
    except OSError as error:
        print(f"sandbox-rootfs: {remedy_of(error)}", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())

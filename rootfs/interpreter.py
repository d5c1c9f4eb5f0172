"""A tree's own python: it is found, run in a cell (cell.py), and believed only as far as its answers can be true.

It compiles what jobs start from, runner.py and notebook.py, and has the name `python` too."""

import errno
import json
import os
import re

import cell
from failure import Failed, printable, refuse_full
from nofollow import has_entry, is_program, open_below, remove
from record import HOME, line_of

# Put in by the build.
POLICIES = "@policydir@"

RUNNER = f"{HOME}/runner.py"
NOTEBOOK = f"{HOME}/notebook.py"

INTERPRETERS = ("/usr/local/bin/python3", "/usr/bin/python3", "/bin/python3",
                "/opt/conda/bin/python3")

# Where jobs look for programs, unless their policy says otherwise.
PROGRAMS = ("usr/local/bin", "usr/bin", "bin")
PYTHON_ENV = {"PATH": "/usr/local/bin:/usr/bin:/bin", "LANG": "C.UTF-8", "HOME": "/tmp"}


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

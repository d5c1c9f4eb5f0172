"""The steps of sandbox-rootfs on a tree: unpack, put in order, record, check, exchange.

Called by sandbox-rootfs alone:

    tree.py unpack LAYOUT TREE                      an OCI layout's image "rootfs" → TREE
    tree.py debian TREE PACKAGE…                    removes files that scripts don't need
    tree.py finish TREE --runner F --source S [--python P]
    tree.py check DIR --runner F [--json]
    tree.py refresh DIR --runner F [--force]
    tree.py may-place DIR [--replace]               fails where the last step would
    tree.py place TREE DIR [--replace]              the last step: one rename

The tree may be hostile, and we may be root. So none of these resolves a path of the tree (nofollow.py), and entries
other than directories, files and links are deleted unopened (skeleton.py). Programs in a cell (cell.py) resolve paths
and run programs, and their answers are checked (interpreter.py).
"""

import argparse
import os
import signal
import sys

# -I keeps the script's directory, with all other files in it, out of the path.
sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))
import cell  # noqa: E402
from check import check  # noqa: E402
from failure import Failed, printable, refuse_full, remedy_of  # noqa: E402
from interpreter import (  # noqa: E402
    PYTHON_ENV, compiled, described, drop_name, find_python, helper, load_notebook, load_runner, make_name, missing_name,
    protocol_of, run_python)
from nofollow import (  # noqa: E402
    AT_FDCWD, DIRECTORY, RENAME_EXCHANGE, RENAME_NOREPLACE, open_below, open_tree, read_below, remove, rename, write_file)
from record import FORMAT, HOME, RECORD, digest_of, lines_of, read_record, write_record  # noqa: E402
from skeleton import make_places, normalise, write_files  # noqa: E402

# Bounds for umoci: images of 20 GiB exist.
UNPACKED = cell.Bounds(seconds=3600, disk=64 << 30, files=8 << 20)


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

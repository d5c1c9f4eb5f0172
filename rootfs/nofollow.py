"""Files of a tree that may be hostile, while we may be root: no path of it is resolved here.

Directories are opened one name at a time, never through a link; files are opened without waiting for anybody.
A path of the tree has no slash at its beginning."""

import ctypes
import os
import stat

from failure import Failed

# Deeper than any honest tree, and far below the number of files that this process can hold open.
DEEPEST = 256

DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC

AT_FDCWD = -100
RENAME_NOREPLACE, RENAME_EXCHANGE = 1, 2


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


def rename(old_fd, old, new_fd, new, flags):
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.renameat2(old_fd, os.fsencode(old), new_fd, os.fsencode(new), flags) != 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code), new)

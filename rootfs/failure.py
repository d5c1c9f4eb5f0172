"""How work on a root file system fails: one sentence for a person, made of what a call or a program said."""

import errno
import re


class Failed(Exception):
    """One sentence for a person: what failed, and what to do next."""


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


def refuse_full(said, tree):
    """A program in a cell that failed because the disk is full is not to blame."""
    if re.search(rb"(?i)no space left on device|disk quota exceeded", said):
        raise Failed(no_room(tree))


def printable(text):
    """Untrusted text, made harmless on a terminal."""
    return "".join(char if char.isprintable() else "?" for char in text)

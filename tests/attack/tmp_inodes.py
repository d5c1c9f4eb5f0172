# attack: use up inodes with empty files, directories, links, FIFOs and sockets
# expect: CONTAINED
# limits: --tmp-files 128 --timeout 60
# bare: host
import contextlib
import errno
import os
import socket
import tempfile

from hostile import READ_ONLY, breach, contained, finish, unclear

LIMIT, BOUND = 128, 1000


def fill(directory, bound):
    made = 0
    original = os.path.join(directory, "original")
    try:
        os.close(os.open(original, os.O_CREAT))
        while made < bound:
            name = os.path.join(directory, f"{made}")
            os.close(os.open(name + "f", os.O_CREAT))
            made += 1
            os.mkdir(name + "d")
            made += 1
            os.symlink("x", name + "s")
            made += 1
            os.link(original, name + "l")
            made += 1
            os.mkfifo(name + "p")
            made += 1
            socket.socket(socket.AF_UNIX).bind(name + "u")
            made += 1
    except OSError as error:
        if error.errno != errno.ENOSPC:
            unclear(f"{directory}: {error}")
    return made


held = 0
with contextlib.ExitStack() as directories:
    for place in ("/tmp", os.getcwd(), "/dev/shm"):
        try:
            directory = directories.enter_context(tempfile.TemporaryDirectory(dir=place))
        except OSError as error:
            if error.errno not in READ_ONLY + (errno.ENOSPC,):
                raise
            contained(f"{place} {error.strerror}")
            continue
        here = fill(directory, BOUND - held)
        held += here
        contained(f"{place} {here}")
    if held > LIMIT:
        breach(f"{held} inodes, of {LIMIT}")
finish()

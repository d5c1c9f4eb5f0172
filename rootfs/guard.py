"""Runs a command for sandbox-rootfs, and makes sure that no process of the command outlives it.

    guard.py PARENT COMMAND [ARGUMENT…]

When the command has ended, on a signal, and when PARENT is gone, even if it was killed, all descendants of the command are
ended: first by SIGTERM, so that they can clean up, then by SIGKILL. None escapes, since orphans become our children (we are a
subreaper). This process holds its inherited descriptors, above all the lock of sandbox-rootfs, until then;
the command has none of them. So nobody takes a work directory in which a process still writes.
"""

import ctypes
import os
import signal
import subprocess
import sys
import time

PR_SET_PDEATHSIG, PR_SET_CHILD_SUBREAPER = 1, 36
ENDING = {signal.SIGTERM, signal.SIGINT, signal.SIGHUP}
GRACE_SECONDS = 5
LOOK_SECONDS = 0.02

libc = ctypes.CDLL(None, use_errno=True)


def parents():
    """The parent of each process, without those that have ended."""
    found = {}
    for name in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{name}/stat", "rb") as file:
                state, parent = file.read().rpartition(b")")[2].split()[:2]
        except OSError:
            continue
        if state != b"Z":
            found[int(name)] = int(parent)
    return found


def descendants():
    known, below = parents(), {os.getpid()}
    while more := {pid for pid, parent in known.items() if parent in below} - below:
        below |= more
    return below - {os.getpid()}


def reap():
    """Takes the children that have ended: their statuses by pid."""
    ended = {}
    try:
        while (status := os.waitpid(-1, os.WNOHANG))[0]:
            ended[status[0]] = status[1]
    except ChildProcessError:
        pass
    return ended


def end(number, pids):
    for pid in pids:
        try:
            os.kill(pid, number)
        except OSError:
            pass  # gone; or newuidmap, root's, which is gone in a moment


def end_all():
    """Returns when nothing is left."""
    patience = time.monotonic() + GRACE_SECONDS
    end(signal.SIGTERM, descendants())
    while left := descendants():
        if time.monotonic() > patience:
            end(signal.SIGKILL, left)
        time.sleep(LOOK_SECONDS)
        reap()


def start(command):
    def prepare():
        os.setpgid(0, 0)
        libc.prctl(PR_SET_PDEATHSIG, int(signal.SIGKILL), 0, 0, 0)
        signal.pthread_sigmask(signal.SIG_SETMASK, ())

    return subprocess.Popen(command, stdin=subprocess.DEVNULL, preexec_fn=prepare)


def main(parent, *command):
    waited = ENDING | {signal.SIGCHLD}
    signal.pthread_sigmask(signal.SIG_BLOCK, waited)
    for number in ENDING:
        signal.signal(number, signal.SIG_DFL)
    libc.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    libc.prctl(PR_SET_PDEATHSIG, int(signal.SIGTERM), 0, 0, 0)
    if os.getppid() != int(parent):
        return 143
    try:
        started = start(command)  # kept: without a name it would wait for its process itself, and take its status
    except OSError as error:
        print(f"{command[0]}: {error.strerror}", file=sys.stderr)
        return 127
    child, ended = started.pid, {}
    while child not in ended and (number := signal.sigwait(waited)) not in ENDING:
        ended |= reap()
    end_all()
    if child not in ended:
        return 128 + number
    code = os.waitstatus_to_exitcode(ended[child])
    return code if code >= 0 else 128 - code


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))

"""Runs python3 plainly, as what the sandbox gives is compared with: the same interpreter in a chroot of the same
root file system, with namespaces of its own and nothing of the sandbox's.

    unshare --mount --pid --net --uts --ipc --fork --kill-child python3 outside.py ROOTFS REPORT_FD OPTIONS PYTHON ARG…

OPTIONS is an object of JSON:

    files   {path below /work: its bytes in base64}
    env     all the environment that the program has
    site    a directory of the interpreter's own packages: standard output is line-buffered from the start by a file
            there, as it is by a terminal; null: as python3 has it
    until   a file: as soon as the program has made it, it is killed; null: it ends by itself

This process is pid 1 in there, as the sandbox's own is: whatever the program leaves behind ends with it. It writes
the program's wait status to REPORT_FD, or "killed".
"""

import base64
import ctypes
import json
import os
import pathlib
import resource
import signal
import socket
import sys
import time

MS_BIND, MS_REC, MS_PRIVATE = 0x1000, 0x4000, 0x40000
JOB = 1000  # its user and its group
OPEN_FILES = 256  # as the policy has it
DIRECTORIES = ("tmp", "work", "dev/shm")  # what can be written to
LINES = "import sys; sys.stdout.reconfigure(line_buffering=True)\n"

libc = ctypes.CDLL(None, use_errno=True)


def mount(source, target, kind="none", flags=0, data=None):
    if libc.mount(source.encode(), os.fsencode(target), kind.encode(), flags, data and data.encode()):
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()), str(target))


def furnish(root, options):
    """The mounts, which are this mount namespace's own, and the files."""
    mount("none", "/", flags=MS_REC | MS_PRIVATE)
    mount("proc", root / "proc", "proc")
    mount("/dev", root / "dev", flags=MS_BIND | MS_REC)
    for name in DIRECTORIES:
        mount("tmpfs", root / name, "tmpfs", data="mode=1777")
    os.chown(root / "work", JOB, JOB)
    os.chmod(root / "work", 0o755)
    for name, content in options["files"].items():
        path = root / "work" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(base64.b64decode(content))
        os.chown(path, JOB, JOB)
    if options["site"]:
        directory = root / options["site"].lstrip("/")
        mount("tmpfs", directory, "tmpfs", data="mode=755")
        (directory / "lines.pth").write_text(LINES)


def become(root, options, command):
    """The program. Its standard streams are its own, as they are in a shell: /dev/stdout can be opened."""
    for fd in (0, 1, 2):
        os.fchown(fd, JOB, JOB)
    os.chroot(root)
    os.chdir("/work")
    os.setgroups([])
    os.setgid(JOB)
    os.setuid(JOB)
    resource.setrlimit(resource.RLIMIT_NOFILE, (OPEN_FILES, OPEN_FILES))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    for number in (signal.SIGPIPE, signal.SIGXFSZ):  # which this interpreter ignores
        signal.signal(number, signal.SIG_DFL)
    os.umask(0o022)
    os.setpgid(0, 0)  # as a shell has its jobs
    os.execve(command[0], command, options["env"])


def watch(pid, wanted):
    """The program's end: its wait status, or that it has made the file upon which it is killed."""
    while True:
        # Orphans of the program are this process's children, too.
        ended, status = os.waitpid(-1, os.WNOHANG if wanted else 0)
        if ended == pid:
            return str(status)
        if wanted and wanted.exists():
            os.kill(-1, signal.SIGKILL)
            return "killed"
        if ended == 0:
            time.sleep(0.002)


def main(root, report, options, *command):
    root, options = pathlib.Path(root), json.loads(options)
    socket.sethostname("sandbox")
    furnish(root, options)
    os.set_inheritable(int(report), False)
    pid = os.fork()
    if pid == 0:
        try:
            become(root, options, command)
        except BaseException as error:
            os.write(int(report), f"{type(error).__name__}: {error}".encode())
        os._exit(127)
    for fd in (0, 1, 2):  # the program's end is theirs
        os.close(fd)
    ended = watch(pid, options["until"] and root / "work" / options["until"])
    os.write(int(report), ended.encode())


if __name__ == "__main__":
    main(*sys.argv[1:])

"""Runs one untrusted program with a directory as its root, while a root file system is made.

Two programs need this. umoci unpacks untrusted layers: paths with '..', absolute links, devices. And
the interpreter of an image has to compile its own library, since the format of .pyc files is its
own: that runs an untrusted program.

The cell has its own mount, pid, network, IPC and UTS namespaces, a root that is pivoted into (of the
host only `binds` are mounted there), no capability, no new privileges, no terminal, no descriptor
except for the three pipes, a session keyring of its own, an id that owns nothing else on this host,
and, for a program of the image, the jobs' seccomp filter. It has no cgroup: the host's free memory
and disk are compared with those before, and when too much is gone, or time is up, everything in the
cell is killed.

Root needs no user namespace here, so this also works where ordinary users may not make any; others
need one.
"""

import ctypes
import dataclasses
import errno
import os
import resource
import select
import signal
import struct
import sys
import time
import traceback

CLONE_NEWNS = 0x00020000
CLONE_NEWUTS = 0x04000000
CLONE_NEWIPC = 0x08000000
CLONE_NEWUSER = 0x10000000
CLONE_NEWPID = 0x20000000
CLONE_NEWNET = 0x40000000

MS_RDONLY, MS_NOSUID, MS_NODEV, MS_NOEXEC = 1, 2, 4, 8
MS_REMOUNT, MS_NOATIME, MS_NODIRATIME, MS_BIND = 32, 1024, 2048, 4096
MS_REC, MS_PRIVATE, MS_RELATIME = 16384, 1 << 18, 1 << 21
MNT_DETACH = 2

PR_SET_PDEATHSIG, PR_CAPBSET_DROP, PR_SET_CHILD_SUBREAPER = 1, 24, 36
PR_SET_NO_NEW_PRIVS, PR_CAP_AMBIENT = 38, 47
PR_SET_SECCOMP, SECCOMP_MODE_FILTER = 22, 2
PR_CAP_AMBIENT_CLEAR_ALL = 4
CAPABILITY_VERSION_3 = 0x20080522

# statvfs says these with values of its own (ST_RELATIME is not MS_RELATIME).
ST_TO_MS = ((1, MS_RDONLY), (2, MS_NOSUID), (4, MS_NODEV), (8, MS_NOEXEC), (1024, MS_NOATIME),
            (2048, MS_NODIRATIME), (4096, MS_RELATIME))

# In systemd's list of ids (UIDS-GIDS) 1879048192…2147483647 are unused: no account, no container, no
# dynamic user. Root takes one of them at random for a cell, so that two cells at the same time can't
# reach each other.
UNUSED_IDS = (0x70000000, 0x7FFFFFF0)

LARGEST_FILE = 8 << 30
PROCESSES = 256

# A compiled filter (src/seccomp/seccomp.c): magic, version, AUDIT_ARCH_…, two hashes; then instructions.
FILTER_HEADER = struct.Struct("=8sIIQQ")
FILTER_MAGIC = b"sb-seccp"
# AUDIT_ARCH_… of the filter, and the number of keyctl(2).
MACHINES = {"x86_64": (0xC000003E, 250), "aarch64": (0xC00000B7, 219)}
KEYCTL_JOIN_SESSION_KEYRING = 1

LOOK_SECONDS = 0.05

libc = ctypes.CDLL(None, use_errno=True)


class CellError(Exception):
    """The cell could not be made; the text says what to do about it."""

    def __init__(self, text, errnum=0):
        super().__init__(text)
        self.errnum = errnum


@dataclasses.dataclass(frozen=True)
class Bounds:
    """Bounds of a cell, in seconds, bytes and files; never more than half of the free amount."""
    seconds: float = 900
    memory: int = 4 << 30
    disk: int = 4 << 30
    files: int = 1 << 20


class Watch:
    """Compares the host's free memory and disk with those before, however a program takes them. Other
    programs' share counts as well, so the bounds are far above the need."""

    def __init__(self, root, bounds):
        self._root = root
        self._before = self._look()
        self._bounds = (bounds.memory, bounds.disk, bounds.files)
        self.deadline = time.monotonic() + bounds.seconds

    def _look(self):
        """Free memory, free disk, free inodes."""
        with open("/proc/meminfo", encoding="ascii") as file:
            memory = next(int(line.split()[1]) << 10 for line in file if line.startswith("MemAvailable:"))
        disk = os.statvfs(self._root)
        # File systems without a fixed number of inodes say 0.
        return memory, disk.f_bavail * disk.f_frsize, disk.f_ffree or 1 << 62

    def check(self):
        if time.monotonic() >= self.deadline:
            raise CellError("a program of the image did not end in time: the image is damaged or hostile, or this host too slow "
                            "just now; try again")
        for what, before, now, bound in zip(("memory", "disk space", "files"), self._before, self._look(), self._bounds):
            if before - now > min(bound, before // 2):
                raise CellError(self._too_much(what, before, bound))

    @staticmethod
    def _too_much(what, before, bound):
        if bound <= before // 2:
            return (f"a program of the image took too much of this host's {what}: it is damaged or hostile; if another "
                    "program took it, try again")
        amount = f"{before} files" if what == "files" else f"{before >> 20} MiB of {what}"
        return (f"no room is left: a program of the image took half of the {amount} that were free; make some room, or name "
                "another place; where plenty was free, the image is damaged or hostile")


def read_filter(path):
    """The instructions of a compiled filter that is for this machine."""
    try:
        with open(path, "rb") as file:
            data = file.read(1 << 20)
        magic, _, arch, _, _ = FILTER_HEADER.unpack_from(data)
    except (OSError, struct.error):
        magic, arch = None, None
    if magic != FILTER_MAGIC or arch != MACHINES.get(os.uname().machine, (0, 0))[0]:
        raise CellError(f"{path} is not a filter for this machine: build or install sandbox-run first, or name its "
                        "policies with SANDBOX_POLICIES")
    return data[FILTER_HEADER.size:]


def builder_id():
    """The id to run as: an unused one for root, our own otherwise."""
    if os.geteuid() != 0:
        return os.geteuid()
    first, last = UNUSED_IDS
    return first + int.from_bytes(os.urandom(4), "little") % (last - first)


def call(step, function, *args):
    if function(*args) != 0:
        code = ctypes.get_errno()
        raise OSError(code, f"{step}: {os.strerror(code)}")


def mount(step, source, target, flags):
    call(step, libc.mount, os.fsencode(source), os.fsencode(target), None,
         ctypes.c_ulong(flags), None)


def bind(source, target, writable, recursive=0):
    """Binds without set-user-ID and devices. Flags that a user namespace may not clear stay set."""
    mount(f"bind {source}", source, target, MS_BIND | recursive)
    seen = os.statvfs(target).f_flag
    flags = sum(ms for st, ms in ST_TO_MS if seen & st)
    flags |= MS_REMOUNT | MS_BIND | MS_NOSUID | MS_NODEV | (0 if writable else MS_RDONLY)
    mount(f"bind {source} nosuid", source, target, flags)


def drop_privileges(owner):
    if os.geteuid() == 0:
        os.setgroups([])
        os.setresgid(owner, owner, owner)
    libc.prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0)
    for capability in range(64):
        if libc.prctl(PR_CAPBSET_DROP, capability, 0, 0, 0) != 0:
            break
    if os.geteuid() == 0:
        os.setresuid(owner, owner, owner)
    header = (ctypes.c_uint32 * 2)(CAPABILITY_VERSION_3, 0)
    call("capset", libc.capset, header, (ctypes.c_uint32 * 6)())
    call("no_new_privs", libc.prctl, PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)


def die_with(parent_gone):
    """Has the kernel kill us when our parent dies; parent_gone() tells whether it has already."""
    libc.prctl(PR_SET_PDEATHSIG, int(signal.SIGKILL), 0, 0, 0)
    if parent_gone():
        os._exit(126)


def leave_keyring():
    """The caller's session keyring may hold keys of his; a new one is empty."""
    if number := MACHINES.get(os.uname().machine, (0, 0))[1]:
        libc.syscall(number, KEYCTL_JOIN_SESSION_KEYRING, None)


def load_filter(code):
    buffer = ctypes.create_string_buffer(code, len(code))
    program = struct.pack("@HP", len(code) // 8, ctypes.addressof(buffer))
    call("seccomp", libc.prctl, PR_SET_SECCOMP, SECCOMP_MODE_FILTER, program, 0, 0)


def limit_resources():
    # Not 0: where core_pattern is a pipe, 1 alone means none (core(5)).
    resource.setrlimit(resource.RLIMIT_CORE, (1, 1))
    resource.setrlimit(resource.RLIMIT_FSIZE, (LARGEST_FILE, LARGEST_FILE))
    if os.geteuid() == 0:  # the id is this cell's alone; a user's own may have many already
        resource.setrlimit(resource.RLIMIT_NPROC, (PROCESSES, PROCESSES))


def inside(root, argv, writable, binds, owner, env, code, leash):
    """In the child that is pid 1 of the cell: shuts the door, then becomes the program."""
    mount("private mounts", "none", "/", MS_REC | MS_PRIVATE)
    bind(root, root, writable)
    for source, target, may_write in binds:
        # A user namespace may not uncover what is mounted below the source: it comes along.
        bind(source, os.path.join(root, target), may_write, MS_REC)
    os.chdir(root)
    # The old root comes to lie over the new one and is taken away: nothing leads back to it.
    call("pivot_root", libc.pivot_root, b".", b".")
    call("detach the old root", libc.umount2, b".", MNT_DETACH)
    os.chdir("/")
    limit_resources()
    drop_privileges(owner)
    # After the change of ids, which clears it. Outside's pids are not seen here: the parent holds
    # the other end of the leash.
    die_with(lambda: bool(select.select([leash], [], [], 0)[0]))
    os.umask(0o022)
    for number in set(range(1, signal.NSIG)) - {signal.SIGKILL, signal.SIGSTOP}:
        try:
            signal.signal(number, signal.SIG_DFL)
        except (OSError, ValueError):
            pass  # the C library's own
    if code:
        load_filter(code)
    try:
        os.execve(argv[0], argv, env)
    except OSError as error:
        raise OSError(error.errno, f"{argv[0]}: {error.strerror}") from None


def middle(root, argv, writable, binds, owner, env, code, errors, parent):
    """In the first child: new namespaces, then pid 1 of the cell, whose status is passed on."""
    os.setsid()
    leave_keyring()
    die_with(lambda: os.getppid() != parent)
    spaces = CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS
    uid, gid = os.geteuid(), os.getegid()
    if uid != 0:
        spaces |= CLONE_NEWUSER
    call("namespaces", libc.unshare, spaces)
    if uid != 0:
        for name, text in (("setgroups", "deny"), ("uid_map", f"1000 {uid} 1"),
                           ("gid_map", f"1000 {gid} 1")):
            with open(f"/proc/self/{name}", "w", encoding="ascii") as file:
                file.write(text)
    leash, hand = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(hand)
        try:
            inside(root, argv, writable, binds, owner, env, code, leash)
        except BaseException as error:  # the parent must hear of it, whatever it is
            os.write(errors, describe(error))
        os._exit(126)
    os.close(errors)
    _, status = os.waitpid(pid, 0)
    os._exit(os.waitstatus_to_exitcode(status) & 0xFF)


def describe(error):
    if isinstance(error, OSError):
        return f"{error.errno or 0} {error.strerror}".encode()
    return ("0 " + "".join(traceback.format_exception_only(type(error), error)).strip()).encode()


def collect(child, streams, watch, limit):
    """Reads the streams to their ends, so that none blocks, and waits for the child's own, which a program
    may outlive that has closed them; keeps up to `limit` bytes of each."""
    kept = {fd: bytearray() for fd in streams}
    ended = os.pidfd_open(child)
    waiting, looked = {*streams, ended}, 0.0
    poll = select.poll()
    for fd in waiting:
        poll.register(fd, select.POLLIN)
    try:
        while waiting:
            if time.monotonic() >= looked + LOOK_SECONDS:
                watch.check()
                looked = time.monotonic()
            for fd, _ in poll.poll(LOOK_SECONDS * 1000):
                data = os.read(fd, 65536) if fd != ended else b""
                if not data:
                    poll.unregister(fd)
                    waiting.remove(fd)
                elif len(kept[fd]) < limit:
                    kept[fd] += data[:limit - len(kept[fd])]
    finally:
        os.close(ended)
    return [bytes(kept[fd]) for fd in streams]


def run(root, argv, *, owner, writable=False, binds=(), stdin=b"", env=None, code=b"", bounds=Bounds(),
        limit=1 << 20):
    """Runs argv with `root` as /, as `owner`; gives (exit status, stdout, stderr). `code` is a seccomp
    filter's, which a program of a stranger must have.

    binds: (path on the host, path in root, writable); the paths in root exist and no component of
    theirs is a link. Raises CellError when the cell can't be made or takes too much."""
    source = os.memfd_create("stdin")
    os.write(source, stdin)
    os.lseek(source, 0, os.SEEK_SET)
    pipes = [os.pipe() for _ in range(3)]
    watch = Watch(root, bounds)
    libc.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    parent = os.getpid()
    child = os.fork()
    if child == 0:
        out, err, errors = (write for _, write in pipes)
        try:
            for number, fd in enumerate((source, out, err)):
                os.dup2(fd, number)
            os.dup2(errors, 3)
            os.set_inheritable(3, False)
            os.closerange(4, 1 << 16)
            middle(root, argv, writable, binds, owner, env or {}, code, 3, parent)
        except BaseException as error:
            os.write(3, describe(error))
        os._exit(126)
    os.close(source)
    for _, write in pipes:
        os.close(write)
    streams = [read for read, _ in pipes]
    try:
        out, err, errors = collect(child, streams, watch, limit)
    except BaseException:
        os.kill(child, signal.SIGKILL)  # and the kernel all of the cell with it
        os.waitpid(child, 0)
        wait_for_all()
        raise
    finally:
        for fd in streams:
            os.close(fd)
    _, status = os.waitpid(child, 0)
    if errors:
        number, _, text = errors.decode("utf-8", "replace").partition(" ")
        raise CellError(f"{text}{advice(int(number))}", int(number))
    return os.waitstatus_to_exitcode(status), out, err


def wait_for_all():
    """Waits for pid 1 of a cell whose parent was killed: the last of what was in there."""
    try:
        while True:
            os.waitpid(-1, 0)
    except ChildProcessError:
        pass


def advice(number):
    if number in (errno.EPERM, errno.ENOSPC, errno.EACCES) and os.geteuid() != 0:
        return ("; this user may not make namespaces here (`sandbox-run --doctor` says why): "
                "run it as root, or allow user namespaces")
    if number == errno.EPERM:
        return "; run it where root has CAP_SYS_ADMIN (a container needs --privileged for it)"
    return ""


if __name__ == "__main__":
    sys.exit("cell.py is a part of sandbox-rootfs; run that instead")

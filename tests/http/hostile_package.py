"""A package that a policy preloads, and that is an attacker's: what it tries in the zygote, and what came of it, for a
job to print. Nothing is written to or ended: that the kernel would let it is enough."""

import ctypes
import os
import platform
import resource
import socket

NUMBERS = {  # x86-64, aarch64
    "acct": (163, 89), "add_key": (248, 217), "bpf": (321, 280), "clock_settime": (227, 112),
    "delete_module": (176, 106), "fanotify_init": (300, 262), "finit_module": (313, 273), "fsopen": (430, 430),
    "init_module": (175, 105), "io_uring_setup": (425, 425), "io_uring_enter": (426, 426),
    "io_uring_register": (427, 427), "kcmp": (312, 272),
    "kexec_load": (246, 104), "keyctl": (250, 219), "name_to_handle_at": (303, 264), "open_by_handle_at": (304, 265),
    "perf_event_open": (298, 241), "pidfd_getfd": (438, 438), "process_vm_readv": (310, 270), "ptrace": (101, 117),
    "quotactl": (179, 60), "reboot": (169, 142), "swapon": (167, 224), "syslog": (103, 116), "userfaultfd": (323, 282),
    "keyctl get": (250, 219),
}
PTRACE_SEIZE = 0x4206
# What makes the kernel take each for asked: without a filter no answer is ENOSYS.
ARGUMENTS = {"perf_event_open": (0, 0, -1, -1, 0), "keyctl get": (0, -3, 0), "reboot": (0,), "io_uring_enter": (-1,),
             "clock_settime": (-1, 0), "keyctl": (-1 & 0xffffffff,), "ptrace": (PTRACE_SEIZE, 0)}
FAMILIES = ["AF_NETLINK", "AF_PACKET", "AF_ALG", "AF_VSOCK", "AF_BLUETOOTH", "AF_KEY", "AF_TIPC"]
libc = ctypes.CDLL(None, use_errno=True)
found = {}


def call(name, *arguments):
    number = NUMBERS[name][platform.machine() == "aarch64"]
    padded = [ctypes.c_long(each) for each in (*arguments, 0, 0, 0, 0, 0, 0)[:6]]
    result = libc.syscall(ctypes.c_long(number), *padded)
    if result < 0:
        raise OSError(ctypes.get_errno(), name)


def attempt(name, function, *arguments):
    try:
        function(*arguments)
        found[name] = "done"
    except OSError as error:
        found[name] = error.errno


def read(path):
    with open(path, "rb") as file:
        if not file.read(1):
            raise OSError(0, path)


def become(uid, then=None):
    """In a process of its own."""
    if os.fork() == 0:
        try:
            os.setresuid(uid, uid, uid)
            if then:
                then()
        except OSError as error:
            os._exit(error.errno)
        os._exit(0)
    status = os.waitstatus_to_exitcode(os.wait()[1])
    if status != 0:
        raise OSError(status, "become")


def try_host():
    parent = os.getppid()
    for path in ("/proc/sys/kernel/core_pattern", "/proc/sys/kernel/modprobe", "/proc/sysrq-trigger"):
        attempt(f"write {path}", lambda: os.close(os.open(path, os.O_WRONLY)))
    for path in ("/proc/1/root/etc/shadow", "/proc/1/environ", f"/proc/{parent}/environ", f"/proc/{parent}/mem",
                 f"/proc/{parent}/cmdline", "/proc/1/cmdline"):
        attempt(f"read {path.replace(str(parent), 'parent')}", read, path)
    attempt("signal parent", os.kill, parent, 0)
    attempt("signal init", os.kill, 1, 0)
    attempt("limit parent", resource.prlimit, parent, resource.RLIMIT_CPU, (-1, -1))
    attempt("schedule parent", os.setpriority, os.PRIO_PROCESS, parent, 0)
    attempt("trace parent", call, "ptrace", PTRACE_SEIZE, parent, 0, 0)
    attempt("become root", become, 0)
    if "OTHER_JOB" in os.environ:  # a uid of the range, and a process that has it
        uid, pid = map(int, os.environ["OTHER_JOB"].split())
        attempt("become another job", become, uid)
        attempt("kill another job", become, uid, lambda: os.kill(pid, 0))
    for family in FAMILIES:
        number = getattr(socket, family, None)
        if number is not None:
            attempt(family, lambda: socket.socket(number, socket.SOCK_RAW).close())
    for opcode in (0, 2, 4, 9, 11, 12, 15):  # all but what may be done; 0 is that, with no buffer
        attempt(f"ring {opcode}", call, "io_uring_register", 5, opcode, 0, 0)
    for name in NUMBERS.keys() - {"io_uring_register"}:
        attempt(f"call {name}", call, name, *ARGUMENTS.get(name, ()))


def writable(directory, files):
    found = []
    for file in files:
        try:
            os.close(os.open(file, os.O_WRONLY, dir_fd=directory))
            found.append(file)
        except OSError:
            pass
    return found


def try_cgroups(when):
    """The directories of cgroups that it has: what it could write to in them, above them, and in other jobs'."""
    opened = set()
    for fd in map(int, os.listdir("/proc/self/fd")):
        try:
            if not os.readlink(f"/proc/self/fd/{fd}").startswith("/sys/fs/cgroup/"):
                continue
            below = [name for name in os.listdir(fd) if os.stat(name, dir_fd=fd).st_uid == 0 and name[:4] == "job-"]
        except OSError:
            below = []
        files = [above + file for above in ("", "../") for file in
                 ("cgroup.procs", "cgroup.kill", "cgroup.subtree_control", "tasks", "memory.max",
                  "memory.limit_in_bytes", "cpu.cfs_quota_us", "pids.max")]
        files += [f"{name}/{file}" for name in below for file in
                  ("cgroup.procs", "cgroup.kill", "memory.limit_in_bytes", "cpu.cfs_quota_us", "pids.max")]
        opened.update(writable(fd, files))
        for name in below:
            try:
                if os.stat(f"{name}/tasks", dir_fd=fd).st_uid != os.getuid():
                    opened.update(writable(fd, [f"{name}/tasks"]))
            except OSError:
                pass
    found[f"cgroups {when}"] = sorted(opened)


try_host()
try_cgroups("at first")
os.register_at_fork(before=lambda: try_cgroups("while it clones"))

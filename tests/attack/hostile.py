"""What the hostile scripts share: raw system calls, and a last line that says how it went.

A script tries things and books each outcome. finish() prints the one line that counts: BREACH when
anything was reached, UNCLEAR when anything failed in another way than a sandbox makes it fail
(or when nothing was tried), CONTAINED otherwise. An exception alone never means contained."""

import ctypes
import errno
import os
import platform
import sys
import time

# The canaries that the test sets up on the host; a script finds them only if it gets out.
# None without the test, as under `sandbox-run --selftest`.
CANARY_FILE = os.environ.get("ATTACK_FILE")
CANARY_SOCKET = os.environ.get("ATTACK_SOCKET")
CANARY_ABSTRACT = os.environ.get("ATTACK_ABSTRACT")
CANARY_TCP = int(os.environ.get("ATTACK_TCP", 0))
CANARY_UDP = int(os.environ.get("ATTACK_UDP", 0))
CANARY_PID = int(os.environ.get("ATTACK_PID", 0))
CANARY_SHM = int(os.environ.get("ATTACK_SHM", 0))

# How long a script that should be killed by now goes on before it says BREACH. Much longer than
# its limit, for slow hosts; short where it runs undefended.
PATIENCE = float(os.environ.get("ATTACK_PATIENCE", 30))

# How a seccomp filter refuses: dangerous calls EPERM, unknown ones ENOSYS.
FILTERED = (errno.EPERM, errno.ENOSYS)
# How the kernel refuses a process without capabilities, or one that sees no such thing.
DENIED = FILTERED + (errno.EACCES,)
ABSENT = DENIED + (errno.ENOENT, errno.ENOTDIR)
READ_ONLY = DENIED + (errno.EROFS,)

SIGNED_64 = (1 << 63) - 1

# Raw numbers, so that neither Python nor the C library decides what reaches the kernel.
CALLS = {  # x86-64, aarch64
    "acct": (163, 89),
    "add_key": (248, 217),
    "adjtimex": (159, 171),
    "bpf": (321, 280),
    "capset": (126, 91),
    "chroot": (161, 51),
    "clock_adjtime": (305, 266),
    "clock_gettime": (228, 113),
    "clock_settime": (227, 112),
    "clone": (56, 220),
    "clone3": (435, 435),
    "delete_module": (176, 106),
    "exit": (60, 93),
    "fanotify_init": (300, 262),
    "fcntl": (72, 25),
    "finit_module": (313, 273),
    "fsconfig": (431, 431),
    "fsmount": (432, 432),
    "fsopen": (430, 430),
    "fspick": (433, 433),
    "futex": (202, 98),
    "getcwd": (79, 17),
    "getrandom": (318, 278),
    "getsockopt": (55, 209),
    "init_module": (175, 105),
    "io_getevents": (208, 4),
    "io_setup": (206, 0),
    "io_uring_enter": (426, 426),
    "io_uring_register": (427, 427),
    "io_uring_setup": (425, 425),
    "ioctl": (16, 29),
    "ioprio_set": (251, 30),
    "kcmp": (312, 272),
    "kexec_file_load": (320, 294),
    "kexec_load": (246, 104),
    "keyctl": (250, 219),
    "listmount": (458, 458),
    "lookup_dcookie": (212, 18),
    "madvise": (28, 233),
    "mbind": (237, 235),
    "memfd_secret": (447, 447),
    "migrate_pages": (256, 238),
    "mknodat": (259, 33),
    "mlock": (149, 228),
    "mlock2": (325, 284),
    "mlockall": (151, 230),
    "mount": (165, 40),
    "mount_setattr": (442, 442),
    "move_mount": (429, 429),
    "move_pages": (279, 239),
    "mq_open": (240, 180),
    "msgctl": (71, 187),
    "munlockall": (152, 231),
    "name_to_handle_at": (303, 264),
    "open_by_handle_at": (304, 265),
    "open_tree": (428, 428),
    "perf_event_open": (298, 241),
    "personality": (135, 92),
    "pidfd_getfd": (438, 438),
    "pidfd_open": (434, 434),
    "pidfd_send_signal": (424, 424),
    "pipe2": (293, 59),
    "pivot_root": (155, 41),
    "prctl": (157, 167),
    "pread64": (17, 67),
    "prlimit64": (302, 261),
    "process_madvise": (440, 440),
    "process_vm_readv": (310, 270),
    "process_vm_writev": (311, 271),
    "ptrace": (101, 117),
    "quotactl": (179, 60),
    "reboot": (169, 142),
    "remap_file_pages": (216, 234),
    "request_key": (249, 218),
    "sched_setaffinity": (203, 122),
    "sched_setattr": (314, 274),
    "sched_setscheduler": (144, 119),
    "seccomp": (317, 277),
    "semctl": (66, 191),
    "semget": (64, 190),
    "semop": (65, 193),
    "set_mempolicy": (238, 237),
    "setdomainname": (171, 162),
    "sethostname": (170, 161),
    "setns": (308, 268),
    "setpriority": (141, 140),
    "setsockopt": (54, 208),
    "shmat": (30, 196),
    "shmctl": (31, 195),
    "shmget": (29, 194),
    "socket": (41, 198),
    "statmount": (457, 457),
    "swapon": (167, 224),
    "sysinfo": (99, 179),
    "syslog": (103, 116),
    "timer_create": (222, 107),
    "timerfd_create": (283, 85),
    "umount2": (166, 39),
    "uname": (63, 160),
    "unshare": (272, 97),
    "userfaultfd": (323, 282),
    "vmsplice": (278, 75),
    "waitid": (247, 95),
}

_libc = ctypes.CDLL(None, use_errno=True)
_libc.syscall.restype = ctypes.c_long
_column = {"x86_64": 0, "aarch64": 1}[platform.machine()]

_contained, _unclear, _breaches = [], [], []


def call(name, *arguments):
    """One system call with whole 64-bit arguments. Returns its value, or raises OSError."""

    def raw(value):
        if value is None:
            return ctypes.c_long(0)
        if isinstance(value, int):
            return ctypes.c_long(value & SIGNED_64 if value >= 0 else value)
        if isinstance(value, bytes):
            return ctypes.c_char_p(value)
        return ctypes.byref(value)

    result = _libc.syscall(ctypes.c_long(CALLS[name][_column]), *map(raw, arguments))
    if result == -1:
        code = ctypes.get_errno()
        raise OSError(code, f"{name}: {os.strerror(code)}")
    return result


def contained(why):
    _contained.append(why)


def unclear(why):
    _unclear.append(why)


def breach(what):
    _breaches.append(what)


def refused(what, errnos, function, *arguments, reached=()):
    """function() must fail with one of `errnos`. That it returns, or fails in a way that shows that
    the kernel had already taken it (`reached`), is a breach; another error proves nothing."""
    try:
        value = function(*arguments)
    except OSError as error:
        name = errno.errorcode.get(error.errno, str(error.errno))
        if error.errno in errnos:
            contained(f"{what} {name}")
        elif error.errno in reached:
            breach(f"{what} reached the kernel ({name})")
        else:
            unclear(f"{what} {name}, which proves nothing")
        return None
    breach(f"{what} gave {value!r}"[:200])
    return value


def in_child(function, *arguments):
    """Runs function() in a forked child, so that what it breaks is the child's alone. Its OSError
    comes back as if it had run here."""
    readable, writable = os.pipe()
    pid = os.fork()
    if pid == 0:
        status = -1
        try:
            function(*arguments)
            status = 0
        except OSError as error:
            status = error.errno
        finally:
            os.write(writable, b"%d" % status)
            os._exit(0)
    os.close(writable)
    code = int(os.read(readable, 16) or b"-1")
    os.close(readable)
    os.waitpid(pid, 0)
    if code > 0:
        raise OSError(code, os.strerror(code))
    if code < 0:
        raise RuntimeError("the child died of something else")
    return "success"


def armed(what):
    """Says that the attack is where a limit must end it; that ending then is the proof."""
    print("ARMED:", what, flush=True)


def outwait():
    """Goes on until the limit must long have struck."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        time.sleep(0.05)


def report(stream=None):
    """The last line."""

    def line(word, what):
        text = "; ".join(dict.fromkeys(what)).replace("\n", "\\n")
        text = f"{word}: {text if len(text) < 600 else text[:600] + ' …'}"
        return text.encode("utf-8", "backslashreplace").decode()

    if _breaches:
        text = line("BREACH", _breaches)
    elif _unclear or not _contained:
        text = line("UNCLEAR", _unclear or ["nothing was tried"])
    else:
        text = line("CONTAINED", _contained)
    print(text, file=stream or sys.stdout, flush=True)


def finish(stream=None):
    """The last line, and the end of the process, whatever its threads do."""
    report(stream)
    os._exit(0)


def skip(why):
    """For an attack that this machine has no way to carry out. Its header must allow it."""
    print("SKIPPED:", why, flush=True)
    os._exit(0)

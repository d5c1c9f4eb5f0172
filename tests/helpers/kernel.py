"""The kernel as a test needs it: system calls that are made by number, and kernels that lack some."""

import ctypes
import os
import pathlib
import struct

libc = ctypes.CDLL(None, use_errno=True)
# Its own kernel answers calls of other architectures, and time in the kernel is hardly told from a program's own.
# Attacks on the entry to the kernel, of which user-mode Linux has none but its own.
OF_THE_ENTRY = {"seccomp_foreign", "seccomp_survive"}
USER_MODE_LINUX = "User Mode Linux" in pathlib.Path("/proc/cpuinfo").read_text()

NUMBERS = {  # x86-64, aarch64
    "acct": (163, 89), "add_key": (248, 217), "bpf": (321, 280), "chroot": (161, 51), "clock_settime": (227, 112),
    "clone3": (435, 435), "close_range": (436, 436), "fanotify_init": (300, 262), "finit_module": (313, 273),
    "fsopen": (430, 430), "get_robust_list": (274, 100), "init_module": (175, 105), "io_uring_setup": (425, 425),
    "kexec_load": (246, 104), "keyctl": (250, 219), "landlock_create_ruleset": (444, 444),
    "memfd_create": (319, 279), "mount": (165, 40), "mount_setattr": (442, 442), "move_mount": (429, 429),
    "name_to_handle_at": (303, 264), "open_by_handle_at": (304, 265), "open_tree": (428, 428),
    "perf_event_open": (298, 241), "pidfd_getfd": (438, 438), "pidfd_open": (434, 434), "pivot_root": (155, 41),
    "prctl": (157, 167), "process_vm_readv": (310, 270), "process_vm_writev": (311, 271), "ptrace": (101, 117),
    "quotactl": (179, 60), "reboot": (169, 142), "request_key": (249, 218), "seccomp": (317, 277),
    "setdomainname": (171, 162), "sethostname": (170, 161), "setns": (308, 268), "settimeofday": (164, 170), "swapon": (167, 224),
    "syslog": (103, 116), "umount2": (166, 39), "unshare": (272, 97), "userfaultfd": (323, 282),
}


def number_of(call):
    """The number of a system call on this machine."""
    return NUMBERS[call][0 if os.uname().machine == "x86_64" else 1]


def without(**calls):
    """A preexec_fn that takes system calls away: name → errno that they give from then on."""
    statements = [(0x20, 0, 0, 0)]  # the number of the call
    for name, number in calls.items():
        statements += [(0x15, 0, 1, number_of(name)), (0x06, 0, 0, 0x00050000 | number)]
    statements.append((0x06, 0, 0, 0x7FFF0000))  # anything else is allowed
    program = b"".join(struct.pack("HBBI", *statement) for statement in statements)
    buffer = ctypes.create_string_buffer(program)
    header = ctypes.create_string_buffer(
        struct.pack("HxxxxxxP", len(statements), ctypes.addressof(buffer)))

    def install():
        if libc.prctl(38, 1, 0, 0, 0) or libc.prctl(22, 2, header, 0, 0):
            os._exit(99)

    install.keep = (buffer, header)
    return install

# attack: take over pid 1: trace it, write into its memory, duplicate its descriptors
# expect: CONTAINED
# bare: namespaces
import ctypes

from hostile import DENIED, call, finish, refused

PTRACE_ATTACH, PTRACE_SEIZE = 16, 0x4206
ESRCH, EBADF, EINVAL, EFAULT, EIO = 3, 9, 22, 14, 5


class Span(ctypes.Structure):
    _fields_ = [("base", ctypes.c_void_p), ("size", ctypes.c_size_t)]


buffer = ctypes.create_string_buffer(16)
here = Span(ctypes.addressof(buffer), 16)
# 0x400000: some memory that may or may not be mapped; EFAULT says that access was granted.
there = Span(0x400000, 16)

refused("PTRACE_SEIZE", DENIED, call, "ptrace", PTRACE_SEIZE, 1, 0, 0, reached=(ESRCH, EIO))
refused("PTRACE_ATTACH", DENIED, call, "ptrace", PTRACE_ATTACH, 1, 0, 0, reached=(ESRCH, EIO))
for name in ("process_vm_readv", "process_vm_writev"):
    refused(name, DENIED, call, name, 1, here, 1, there, 1, 0, reached=(EFAULT, ESRCH))
for kind in range(7):
    refused(f"kcmp {kind}", DENIED, call, "kcmp", 1, 1, kind, 0, 0, reached=(EBADF, EINVAL, ESRCH))
pidfd = call("pidfd_open", 1, 0)
for descriptor in range(8):
    arguments = ("pidfd_getfd", pidfd, descriptor, 0)
    refused(f"pidfd_getfd {descriptor}", DENIED, call, *arguments, reached=(EBADF,))
arguments = ("process_madvise", pidfd, there, 1, 21, 0)
refused("process_madvise", DENIED, call, *arguments, reached=(EFAULT, EINVAL))
for namespaces in (0x20000, 0x10000000, 0x40000000, 0x20020000):
    refused(f"setns {namespaces:#x}", DENIED, call, "setns", pidfd, namespaces, reached=(EINVAL,))
finish()

# attack: change a call after the filter has seen it, as its tracer, or have the filter suspended
# expect: CONTAINED
# bare: host
import errno
import os
import signal

from hostile import FILTERED, call, finish, in_child, refused

PTRACE_TRACEME, PTRACE_SEIZE, PTRACE_ATTACH = 0, 0x4206, 16
PTRACE_O_EXITKILL, PTRACE_O_SUSPEND_SECCOMP = 1 << 20, 1 << 21
REACHED = (errno.EIO, errno.ESRCH, errno.EINVAL)

child = os.fork()
if child == 0:
    signal.pause()
for name, options in (("EXITKILL", PTRACE_O_EXITKILL), ("SUSPEND_SECCOMP", PTRACE_O_SUSPEND_SECCOMP)):
    refused(name, FILTERED, call, "ptrace", PTRACE_SEIZE, child, 0, options, reached=REACHED)
# CVE-2019-13272: the tracer's rights were taken for the tracee's.
refused("TRACEME", FILTERED, in_child, call, "ptrace", PTRACE_TRACEME, 0, 0, 0)
os.kill(child, signal.SIGKILL)
os.waitpid(child, 0)
finish()

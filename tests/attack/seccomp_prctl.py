# attack: change how the kernel treats our process, by every option of prctl that libraries do not need
# expect: CONTAINED
# bare: host
import ctypes
import errno
import os

from hostile import FILTERED, call, finish, in_child, refused

REFUSED = FILTERED + (errno.EINVAL,)
room = ctypes.create_string_buffer(64)
address = ctypes.addressof(room)
# Arguments with which the kernel would do it.
OPTIONS = {
    "PR_GET_UNALIGN": (5, address),
    "PR_SET_KEEPCAPS": (8, 1),
    "PR_SET_FPEMU": (10, 0),
    "PR_SET_TIMING": (14, 0),
    "PR_SET_ENDIAN": (20, 0),
    "PR_SET_TSC": (26, 1),
    "PR_SET_SECUREBITS": (28, 0),
    "PR_TASK_PERF_EVENTS_DISABLE": (31, 0),
    "PR_MCE_KILL": (33, 1, 0),
    "PR_SET_MM": (35, 1, 0),
    "PR_GET_TID_ADDRESS": (40, address),
    "PR_SET_THP_DISABLE": (41, 1),
    "PR_CAP_AMBIENT": (47, 4),
    "PR_SET_SPECULATION_CTRL": (53, 0, 2),
    "PR_SET_IO_FLUSHER": (57, 1),
    "PR_SET_SYSCALL_USER_DISPATCH": (59, 0),
    "PR_SCHED_CORE": (62, 0, 0, 0, address),
    "PR_SET_MEMORY_MERGE": (67, 1),
    "PR_SET_PTRACER": (0x59616D61, os.getppid()),
}
for name, values in OPTIONS.items():
    option, *arguments = (*values, 0, 0, 0, 0)
    refused(name, REFUSED, in_child, call, "prctl", option, *arguments[:4])
finish()

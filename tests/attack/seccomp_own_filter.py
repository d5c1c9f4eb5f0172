# attack: lay filters of our own over the sandbox's: their code in the kernel, a listener that answers calls
# expect: CONTAINED
# bare: host
import ctypes
import errno
import struct

from hostile import FILTERED, call, finish, in_child, refused

SECCOMP_SET_MODE_STRICT, SECCOMP_SET_MODE_FILTER, SECCOMP_GET_NOTIF_SIZES = 0, 1, 3
SECCOMP_FILTER_FLAG_TSYNC, SECCOMP_FILTER_FLAG_NEW_LISTENER = 1, 8
SECCOMP_RET_ALLOW = 0x7FFF0000
PR_SET_SECCOMP, PR_SET_NO_NEW_PRIVS = 22, 38
REACHED = (errno.EFAULT, errno.EACCES)
NO_OPTION = FILTERED + (errno.EINVAL,)

code = ctypes.create_string_buffer(struct.pack("=HBBI", 6, 0, 0, SECCOMP_RET_ALLOW))
program = ctypes.create_string_buffer(struct.pack("=H6xQ", 1, ctypes.addressof(code)), 16)


def install(name, *arguments):
    call("prctl", PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    call(name, *arguments)


for name, flags in (("a filter", 0), ("for all threads", SECCOMP_FILTER_FLAG_TSYNC),
                    ("with a listener", SECCOMP_FILTER_FLAG_NEW_LISTENER)):
    arguments = (in_child, install, "seccomp", SECCOMP_SET_MODE_FILTER, flags, program)
    refused(name, FILTERED, *arguments, reached=REACHED)
refused("by prctl", NO_OPTION, in_child, install, "prctl", PR_SET_SECCOMP, 2, program, 0, 0)
sizes = ctypes.create_string_buffer(6)
refused("sizes of a listener", FILTERED, call, "seccomp", SECCOMP_GET_NOTIF_SIZES, 0, sizes)
finish()

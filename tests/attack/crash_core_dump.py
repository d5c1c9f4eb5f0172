# attack: leave a core dump, which the host writes, or hands as root to a program of its own
# expect: CONTAINED
# bare: host
import ctypes
import glob
import os
import resource
import struct

from hostile import breach, call, contained, finish, unclear

MOST = ctypes.create_string_buffer(struct.pack("QQ", 2**64 - 1, 2**64 - 1), 16)
hard = resource.getrlimit(resource.RLIMIT_CORE)[1]


def raise_limit(pid):
    for limit in ((resource.RLIM_INFINITY,) * 2, (hard, hard), (0, 0)):
        try:
            resource.setrlimit(resource.RLIMIT_CORE, limit)
        except (OSError, ValueError):
            continue
        break
    try:
        call("prlimit64", pid, resource.RLIMIT_CORE, MOST, None)
    except OSError:
        pass


for name, end in (("abort", os.abort), ("a wild pointer", lambda: ctypes.string_at(1))):
    pid = os.fork()
    if pid == 0:
        raise_limit(0)
        end()
    _, status = os.waitpid(pid, 0)
    if not os.WIFSIGNALED(status):
        unclear(f"{name} ended with {status}")
    elif os.WCOREDUMP(status):
        breach(f"{name} left a core dump")
    else:
        contained(f"{name}: no core dump, {resource.getrlimit(resource.RLIMIT_CORE)} bytes are allowed")
for file in glob.glob("core*"):
    os.unlink(file)
finish()

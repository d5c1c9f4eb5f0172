# attack: be born in another cgroup: clone3 into the host's, whose descriptor is found or guessed
# expect: CONTAINED
# bare: host
import ctypes
import errno
import os
import signal
import struct

from hostile import ABSENT, FILTERED, call, finish, refused

CLONE_INTO_CGROUP = 1 << 33
REACHED = (errno.EBADF, errno.EINVAL, errno.ENOENT, errno.EACCES, errno.EOPNOTSUPP)


def clone(descriptor):
    arguments = struct.pack("11Q", CLONE_INTO_CGROUP, 0, 0, 0, signal.SIGCHLD, 0, 0, 0, 0, 0, descriptor)
    pid = call("clone3", ctypes.create_string_buffer(arguments, len(arguments)), len(arguments))
    if pid == 0:
        os._exit(0)
    os.waitpid(pid, 0)


for descriptor in (*range(3, 8), 1000):
    refused(f"clone into {descriptor}", FILTERED, clone, descriptor, reached=REACHED)
for place in ("/sys/fs/cgroup", "/sys/fs/cgroup/unified", "/sys/fs/cgroup/init.scope"):
    refused(place, ABSENT, os.open, place, os.O_PATH)
finish()

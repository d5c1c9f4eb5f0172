# attack: overrun the kernel by the options of a file system to be (CVE-2022-0185)
# expect: CONTAINED
# bare: namespaces
import errno

from hostile import FILTERED, call, finish, refused

FSCONFIG_SET_FLAG, FSCONFIG_SET_STRING, FSCONFIG_CMD_CREATE = 0, 1, 6
REACHED = (errno.EBADF, errno.EINVAL, errno.ENODEV, errno.EOPNOTSUPP, errno.ENOENT)

for name in (b"tmpfs", b"proc", b"cgroup2", b"ext4", b"overlay", b"9p"):
    refused(f"fsopen {name.decode()}", FILTERED, call, "fsopen", name, 0, reached=REACHED)
# Short values, where the exploit had long ones.
refused("a string", FILTERED, call, "fsconfig", 1023, FSCONFIG_SET_STRING, b"a", b"b", 0, reached=REACHED)
refused("a flag", FILTERED, call, "fsconfig", 1023, FSCONFIG_SET_FLAG, b"ro", None, 0, reached=REACHED)
refused("creation", FILTERED, call, "fsconfig", 1023, FSCONFIG_CMD_CREATE, None, None, 0, reached=REACHED)
refused("fspick", FILTERED, call, "fspick", -100, b"/proc", 0, reached=REACHED)
finish()

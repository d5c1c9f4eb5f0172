# attack: make the space larger that we may fill: remount /tmp with another size, another tmpfs, no limit
# expect: CONTAINED
# bare: namespaces
import errno

from hostile import FILTERED, call, finish, refused

MS_REMOUNT, FSCONFIG_SET_STRING, FSCONFIG_CMD_RECONFIGURE = 32, 1, 7
REACHED = (errno.EINVAL, errno.EBUSY, errno.ENOENT, errno.EBADF)

for place in (b"/tmp", b"/dev/shm", b"/work"):
    for options in (b"size=10G", b"size=0,nr_inodes=0", b"nr_blocks=0"):
        refused(f"{place.decode()} {options.decode()}", FILTERED, call, "mount", None, place, None, MS_REMOUNT, options,
                reached=REACHED)
    refused(f"fspick {place.decode()}", FILTERED, call, "fspick", -100, place, 0, reached=REACHED)
refused("another", FILTERED, call, "mount", b"tmpfs", b"/tmp", b"tmpfs", 0, b"size=10G", reached=REACHED)
finish()

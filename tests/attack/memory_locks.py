# attack: hide memory in record locks, which no limit counts, on files that we only read
# expect: CONTAINED
# limits: --policy run --timeout 2
# bare: host
import errno
import os
import struct

from hostile import call, finish, refused

COUNT, FILES, READ_LOCK = 20000, 50, 0
COMMANDS = {"F_SETLK": 6, "F_SETLKW": 7, "F_OFD_SETLK": 37, "F_OFD_SETLKW": 38}
HIGH = 1 << 32  # the kernel reads 32 bits of a command


def take(command, count):
    """Every other byte, so that no two are kept as one; of many files, as each is searched from its beginning."""
    for number in range(count):
        where = struct.pack("hhqqi4x", READ_LOCK, os.SEEK_SET, number // len(files) * 2, 1, 0)
        call("fcntl", files[number % len(files)], command, where)
    return f"{count} locks"


library = os.path.dirname(os.__file__)
names = sorted(entry.path for entry in os.scandir(library) if entry.is_file())
files = [os.open(name, os.O_RDONLY) for name in names[:FILES]]
for name, command in COMMANDS.items():
    refused(name, (errno.ENOLCK,), take, command, COUNT)
    refused(f"{name} with high bits", (errno.ENOLCK,), take, command | HIGH, 10)
finish()

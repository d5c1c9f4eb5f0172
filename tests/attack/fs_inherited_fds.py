# attack: use descriptors that the sandbox forgot to close: to leave by fchdir, to read, to write
# expect: CONTAINED
# host: descriptors
# bare: host
import fcntl
import os
import stat

from hostile import breach, contained, finish

open_ones = []
for descriptor in range(1 << 16):
    try:
        facts = os.fstat(descriptor)
    except OSError:
        continue
    open_ones.append(descriptor)
    kind = stat.S_IFMT(facts.st_mode)
    mode = fcntl.fcntl(descriptor, fcntl.F_GETFL) & os.O_ACCMODE
    if kind == stat.S_IFDIR:
        os.fchdir(descriptor)
        breach(f"descriptor {descriptor} is a directory with {os.listdir('.')[:3]}")
    elif kind == stat.S_IFREG and (facts.st_uid != os.getuid() or mode != os.O_RDONLY):
        breach(f"descriptor {descriptor} is a file, mode {mode}: {os.pread(descriptor, 20, 0)}")
    elif kind == stat.S_IFSOCK:
        breach(f"descriptor {descriptor} is a socket")
    elif kind == stat.S_IFBLK or kind == stat.S_IFCHR and facts.st_rdev != os.makedev(1, 3):
        breach(f"descriptor {descriptor} is a device or terminal")
    elif kind == 0:
        breach(f"descriptor {descriptor} is {os.readlink(f'/proc/self/fd/{descriptor}')}")
    elif descriptor > 3 and kind == stat.S_IFIFO:
        breach(f"descriptor {descriptor} is a pipe")
contained(f"only pipes, null and the code: {open_ones}")
finish()

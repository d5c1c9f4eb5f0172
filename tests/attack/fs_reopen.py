# attack: open for writing again what we could only read: programs by their descriptors (CVE-2019-5736)
# expect: CONTAINED
# bare: host
import errno
import os

from hostile import ABSENT, READ_ONLY, finish, refused

# Not what runs at the moment, which the kernel would protect by itself.
FILES = ["/bin/true", os.__file__, "/etc/passwd", "/etc/ld.so.cache"]
with open("/proc/self/maps") as maps:
    FILES += [line.split()[5] for line in maps if "/libc" in line][:1]


def link(descriptor, name):
    os.link(f"/proc/self/fd/{descriptor}", name, follow_symlinks=True)
    os.unlink(name)


for file in FILES:
    for kind in (os.O_RDONLY, os.O_PATH):
        try:
            descriptor = os.open(file, kind)
        except FileNotFoundError:
            continue
        for name, flags in (("write", os.O_WRONLY), ("both", os.O_RDWR), ("append", os.O_RDWR | os.O_APPEND)):
            # Opened, not written to.
            refused(f"{file} to {name}", READ_ONLY, os.open, f"/proc/self/fd/{descriptor}", flags)
        refused(f"{file} linked", READ_ONLY + ABSENT + (errno.EXDEV, errno.EBADF), link, descriptor,
                os.path.join(os.getcwd(), "attack-link"))
        os.close(descriptor)
finish()

# attack: make device nodes for the host's disks and memory, open them, look for any there are
# expect: CONTAINED
# bare: host
import os
import stat

from hostile import ABSENT, FILTERED, breach, contained, finish, refused

ALLOWED = {"null", "zero", "full", "random", "urandom", "shm", "fd", "stdin", "stdout", "stderr"}
DEVICES = """
    mem kmem port kmsg sda vda nvme0n1 kvm fuse net/tun loop-control loop0 mapper/control vhost-net
    vsock hwrng tpm0 dri/card0 input/event0 snapshot userfaultfd cuse uinput rtc0 watchdog
"""
ENXIO, ENODEV = 6, 19


def make_and_open(path, kind, device):
    os.mknod(path, kind | 0o600, device)
    try:
        os.close(os.open(path, os.O_RDONLY | os.O_NONBLOCK))
        return "an open device"
    finally:
        os.unlink(path)


devices = {os.stat("/").st_dev, os.stat("/usr").st_dev, os.makedev(8, 0), os.makedev(254, 0)}
for directory in ("/tmp", os.getcwd(), "/dev/shm"):
    for device in devices:
        refused(
            f"{directory} block {os.major(device)}:{os.minor(device)}",
            FILTERED,
            make_and_open,
            os.path.join(directory, "attack-disk"),
            stat.S_IFBLK,
            device,
            reached=(ENXIO, 13),
        )
    for name, minor in (("mem", 1), ("port", 4), ("kmsg", 11)):
        refused(
            f"{directory} {name}",
            FILTERED,
            make_and_open,
            os.path.join(directory, "attack-char"),
            stat.S_IFCHR,
            os.makedev(1, minor),
            reached=(ENXIO, 13),
        )
for name in DEVICES.split():
    flags = os.O_RDONLY | os.O_NONBLOCK
    refused(f"/dev/{name}", ABSENT + (ENXIO, ENODEV), os.open, f"/dev/{name}", flags)
for name in os.listdir("/dev"):
    if name not in ALLOWED:
        breach(f"/dev/{name} is there")
contained("nothing in /dev but the six nodes")
finish()

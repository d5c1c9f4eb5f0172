# attack: learn about the machine and what others do on it: its command line, modules, interrupts, disks, load
# expect: CONTAINED
# bare: host
import os

from hostile import ABSENT, contained, finish, refused


def some(path):
    with open(path, "rb", 0) as file:
        return os.read(file.fileno(), 60) or "an empty file"


for name in ("bus/pci/devices", "cmdline", "consoles", "crypto", "devices", "diskstats", "driver/rtc", "execdomains",
             "fb", "filesystems", "interrupts", "ioports", "kpageflags", "locks", "mdstat", "misc", "modules", "mtrr",
             "pagetypeinfo", "partitions", "schedstat", "softirqs", "swaps", "sysvipc/shm", "timer_stats",
             "tty/drivers", "zoneinfo", "pressure/cpu", "sys/kernel/random/boot_id", "sys/fs/file-nr"):
    path = f"/proc/{name}"
    # A mask over a file is /dev/null.
    if os.path.exists(path) and os.stat(path).st_rdev == os.makedev(1, 3):
        contained(f"{path} is masked")
        continue
    refused(path, ABSENT, some, path)
finish()

# attack: read the kernel's memory, log, keys and addresses, and the other processes of the host
# expect: CONTAINED
# host: process
# bare: host
import os

from hostile import ABSENT, CANARY_PID, breach, contained, finish, refused


def some(path):
    with open(path, "rb", 0) as file:
        return os.read(file.fileno(), 200) or "an empty file"


for path in (
    "/dev/kmsg",
    "/dev/mem",
    "/dev/port",
    "/proc/config.gz",
    "/proc/iomem",
    "/proc/kcore",
    "/proc/key-users",
    "/proc/keys",
    "/proc/kpagecount",
    "/proc/latency_stats",
    "/proc/sched_debug",
    "/proc/scsi/scsi",
    "/proc/slabinfo",
    "/proc/timer_list",
    "/proc/vmallocinfo",
    "/sys/kernel/debug/sched/debug",
    "/sys/kernel/notes",
    "/sys/kernel/tracing/trace",
    "/sys/class/dmi/id/product_uuid",
):
    # A mask over a file is /dev/null, over a directory an empty one.
    if os.path.realpath(path) == path and os.path.exists(path):
        facts = os.stat(path)
        if facts.st_rdev == os.makedev(1, 3):
            contained(f"{path} is masked")
            continue
    refused(path, ABSENT + (6,), some, path)

for line in open("/proc/kallsyms") if os.path.exists("/proc/kallsyms") else ():
    if line.split()[0].strip("0"):
        breach(f"the kernel's addresses: {line.strip()}")
    break

# The job's own processes: pid 1 and this one.
pids = [int(name) for name in os.listdir("/proc") if name.isdigit()]
if len(pids) > 3 or CANARY_PID in pids:
    breach(f"{len(pids)} processes are to be seen")
if os.path.isdir("/sys") and os.listdir("/sys"):
    breach(f"/sys has {os.listdir('/sys')[:4]}")
contained(f"the processes to be seen are {pids}")
finish()

# attack: learn about the host's mounts and cgroups, and find one that is writable or shared
# expect: CONTAINED
# bare: host
import re

from hostile import breach, contained, finish

FOREIGN = "sysfs cgroup cgroup2 debugfs tracefs securityfs devpts mqueue".split()
HARMLESS = {"/null", "/zero", "/full", "/random", "/urandom"}
WRITABLE = {"/tmp", "/work", "/dev", "/dev/shm"}

for line in open("/proc/self/mountinfo"):
    left, right = line.rstrip("\n").split(" - ")
    _, _, _, root, target, options, *propagation = left.split(" ")
    kind, _, super_options = right.split(" ")
    options = options.split(",")
    if propagation:
        breach(f"{target} is tied to a mount of the host: {propagation}")
    if kind not in ("tmpfs", "proc", "devtmpfs") and "ro" not in options:
        breach(f"{target} ({kind}) is writable")
    if kind in FOREIGN:
        breach(f"{target} is {kind}")
    if target in WRITABLE and "nosuid" not in options:
        breach(f"{target} may hold setuid programs")
    # The harmless nodes, in /dev and as masks over files in /proc.
    if "nodev" not in options and root not in HARMLESS:
        breach(f"{target} may hold devices")
    contained(f"{target} {'ro' if 'ro' in options else 'rw'}")

for line in open("/proc/self/cgroup"):
    path = line.rstrip("\n").split(":", 2)[2]
    if path != "/":
        breach(f"the cgroup's name on the host: {line.strip()}")
if re.search("sandbox-run|docker|containerd", open("/proc/self/cgroup").read()):
    breach("the cgroup tells who made it")
finish()

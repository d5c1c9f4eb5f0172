# attack: open for writing what steers the kernel: core_pattern, sysrq, binfmt_misc …
# expect: CONTAINED
# bare: host
import glob

from hostile import READ_ONLY, ABSENT, finish, refused

# Opened, never written to: an open one is the breach.
for path in (
    "/proc/acpi/wakeup",
    "/proc/bus/pci/00/00.0",
    "/proc/fs/binfmt_misc/register",
    "/proc/irq/default_smp_affinity",
    "/proc/mtrr",
    "/proc/sys/fs/binfmt_misc/register",
    "/proc/sys/fs/file-max",
    "/proc/sys/fs/suid_dumpable",
    "/proc/sys/kernel/core_pattern",
    "/proc/sys/kernel/hostname",
    "/proc/sys/kernel/modprobe",
    "/proc/sys/kernel/ns_last_pid",
    "/proc/sys/kernel/poweroff_cmd",
    "/proc/sys/net/ipv4/ip_forward",
    "/proc/sys/user/max_user_namespaces",
    "/proc/sys/vm/drop_caches",
    "/proc/sys/vm/panic_on_oom",
    "/proc/sysrq-trigger",
    "/proc/self/gid_map",
    "/proc/self/setgroups",
    "/proc/self/uid_map",
    "/proc/thread-self/../sys/kernel/core_pattern",
    "/sys/fs/cgroup/cgroup.procs",
    "/sys/fs/cgroup/memory/memory.limit_in_bytes",
    "/sys/kernel/mm/transparent_hugepage/enabled",
    "/sys/kernel/profiling",
    "/sys/kernel/uevent_helper",
    "/sys/power/state",
):
    # The maps of ids open for their owner, but take nothing once they are written.
    if path.startswith("/proc/self/"):
        value = {"uid_map": "0 0 1\n", "gid_map": "0 0 1\n", "setgroups": "allow\n"}
        text = value[path.rsplit("/", 1)[1]]

        def write(path=path, text=text):
            with open(path, "w") as file:
                file.write(text)

        refused(path, READ_ONLY + ABSENT + (22,), write)
    else:
        refused(path, READ_ONLY + ABSENT, open, path, "r+b", 0)
for path in glob.glob("/sys/fs/cgroup/*/cgroup.procs")[:3]:
    refused(path, READ_ONLY, open, path, "r+b", 0)
finish()

/* /proc of the job's own pid namespace: processes only (subset=pid), or all of it with masks over
 * files that reveal the host. Read-only: a script must not change any of it. Processes that the job
 * may not inspect (our pid 1) do not even appear in it. */
#include <errno.h>
#include <sys/mount.h>

#include "common/util.h"
#include "inside/calls.h"
#include "inside/inside.h"

#define HARMLESS (MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC)

/* The masks of container runtimes (maskedPaths of the OCI runtime specification), and further files
 * that reveal the host or its load and that no library reads. A missing one is not an error:
 * kernels differ. */
static const char *const masked_files[] = {
    "proc/kcore",         "proc/keys",        "proc/kmsg",       "proc/key-users",
    "proc/latency_stats", "proc/sched_debug", "proc/timer_list", "proc/timer_stats",
    "proc/sysrq-trigger", "proc/kallsyms",    "proc/kpagecount", "proc/kpageflags",
    "proc/kpagecgroup",   "proc/config.gz",   "proc/cmdline",    "proc/modules",
    "proc/interrupts",    "proc/vmallocinfo", "proc/slabinfo",   "proc/swaps",
    "proc/partitions",    "proc/diskstats",   "proc/iomem",      "proc/ioports",
};
static const char *const masked_directories[] = {
    "proc/acpi", "proc/asound", "proc/scsi", "proc/irq",      "proc/bus",
    "proc/fs",   "proc/driver", "proc/tty",  "proc/pressure",
};

static int absent(int result)
{
    return result < 0 && errno == ENOENT ? 0 : result;
}

/* Covered by an empty directory. */
static int cover(const char *directory)
{
    return sys_mount("tmpfs", directory, "tmpfs", HARMLESS, "size=4k,nr_inodes=1");
}

/* Files are covered by dev/null of the new root, which is read-only: the empty file over which
 * dev.c binds the host's device, or, with a warm start, that bound device. A script could set the
 * times of the host's own node. */
static int mask(void)
{
    for (size_t i = 0; i < ARRAY_LEN(masked_files); i++)
        if (absent(sys_mount("dev/null", masked_files[i], NULL, MS_BIND, NULL)) < 0)
            return -1;
    for (size_t i = 0; i < ARRAY_LEN(masked_directories); i++)
        if (absent(cover(masked_directories[i])) < 0)
            return -1;
    return 0;
}

/* The child of a zygote has a copy of the zygote's /proc, which the job's own covers. */
static int cover_zygotes(const struct inside *in)
{
    return is_warm(in) ? cover("proc") : 0;
}

int proc_mount(struct inside *in)
{
    bool full = in->policy->proc_masked;
    if (is_warm(in) && sys_mount(NULL, "proc", NULL, MS_REMOUNT | MS_BIND | HARMLESS, NULL) < 0)
        return -1;
    if (sys_mount("proc", "proc", "proc", HARMLESS, full ? "hidepid=2" : "subset=pid,hidepid=2") <
        0) {
        /* EPERM: an outer container covers parts of its /proc, so the kernel does not allow an
         * uncovered one. */
        if (errno != EPERM || inside_go_without(in, SB_MISSING_PROC) < 0)
            return -1;
        return cover_zygotes(in);
    }
    return full ? mask() : 0;
}

/* /proc of the job's own pid namespace: processes only (subset=pid), or the whole of it with
 * everything masked that tells of the host. Read-only: nothing in it is for a script to change.
 * Processes that the job may not look into (our pid 1) do not even appear in it. */
#include <errno.h>
#include <sys/mount.h>

#include "common/util.h"
#include "inside/calls.h"
#include "inside/inside.h"

#define HARMLESS (MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC)

/* The masks that container runtimes agree on (maskedPaths of the OCI runtime specification), and
 * what else tells of the host or its load and no library asks for. Missing ones are no error:
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

/* By an empty directory. */
static int cover(const char *directory)
{
    return sys_mount("tmpfs", directory, "tmpfs", HARMLESS, "size=4k,nr_inodes=1");
}

/* Files are covered by dev/null of the new root, which is read-only: the empty file that dev.c
 * binds the host's device over, or with a warm start what it has bound. Of the host's own, a script
 * could set the times. */
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

/* The child of a zygote has a copy of that one's, which the job's own covers. */
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
        /* EPERM: an outer container covers parts of its /proc, and the kernel gives no clean one
         * away. */
        int errnum = errno;
        if (errnum != EPERM || !in->best_effort || cover_zygotes(in) < 0)
            return -1;
        report_send(in->report,
                    &(struct report){.kind = REPORT_MISSING, .step = in->step, .value = errnum});
        return 0;
    }
    return full ? mask() : 0;
}

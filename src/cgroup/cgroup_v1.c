/* cgroup v1: a hierarchy for each controller, and beside them the unified tree for what only v2
 * has: cgroup.kill, CLONE_INTO_CGROUP, CPU time of the whole job. Root only. See the kernel's
 * Documentation/admin-guide/cgroup-v1/. */
#include <linux/magic.h>
#include <stdio.h>
#include <sys/vfs.h>

#include "cgroup/cgroup.h"
#include "cgroup/cgroup_backend.h"
#include "common/error.h"
#include "common/util.h"

enum { UNIFIED, MEMORY, CPU, PIDS };

static const struct cgroup_knob knobs[] = {
    {.hierarchy = MEMORY,
     .controller = CGROUP_MEMORY,
     .file = "memory.limit_in_bytes",
     .limit = SB_MEMORY_BYTES,
     .multiply = 1},
    /* Memory and swap together, so that none is left for swap. Where swap is not accounted the file
     * is missing, and the next knob keeps the job from swapping. */
    {.hierarchy = MEMORY,
     .controller = CGROUP_MEMORY,
     .file = "memory.memsw.limit_in_bytes",
     .limit = SB_MEMORY_BYTES,
     .multiply = 1,
     .optional = true},
    {.hierarchy = MEMORY, .controller = CGROUP_MEMORY, .file = "memory.swappiness", .text = "0"},
    /* TCP and UDP buffers are counted apart from all other memory, and only where there is a limit.
     * v2 counts them as memory. */
    {.hierarchy = MEMORY,
     .controller = CGROUP_MEMORY,
     .file = "memory.kmem.tcp.limit_in_bytes",
     .limit = SB_MEMORY_BYTES,
     .multiply = 1,
     .divide = 8,
     .network = true},
    /* A new cgroup's period is 100 ms. */
    {.hierarchy = CPU,
     .controller = CGROUP_CPU,
     .file = "cpu.cfs_quota_us",
     .limit = SB_MILLICPUS,
     .multiply = 100},
    {.hierarchy = CPU, .controller = CGROUP_CPU, .file = "cpu.shares", .weight = 1024},
    /* One more than the limit, for our own pid 1. */
    {.hierarchy = PIDS,
     .controller = CGROUP_PIDS,
     .file = "pids.max",
     .limit = SB_PIDS,
     .multiply = 1,
     .add = 1},
};

/* pids.peak cannot be reset: the cgroup of a job with more processes than pid 1 and its script is
 * not renewed. */
static const struct cgroup_knob renewal[] = {
    {.hierarchy = MEMORY,
     .controller = CGROUP_MEMORY,
     .file = "memory.max_usage_in_bytes",
     .text = "0"},
    /* Writing the quota again gives back what was used of the current period. */
    {.hierarchy = CPU,
     .controller = CGROUP_CPU,
     .file = "cpu.cfs_quota_us",
     .limit = SB_MILLICPUS,
     .multiply = 100},
};

static const struct cgroup_backend v1 = {
    .name = "v1",
    .knobs = knobs,
    .knobs_count = ARRAY_LEN(knobs),
    .evidence =
        {
            [CGROUP_CPU_TIME_US] = {UNIFIED, "cpu.stat", "usage_usec", .held = true},
            [CGROUP_SYSTEM_TIME_US] = {UNIFIED, "cpu.stat", "system_usec"},
            [CGROUP_MEMORY_NOW] = {MEMORY, "memory.usage_in_bytes", NULL},
            [CGROUP_MEMORY_PEAK] = {MEMORY, "memory.max_usage_in_bytes", NULL, .held = true},
            [CGROUP_PIDS_NOW] = {PIDS, "pids.current", NULL},
            [CGROUP_PIDS_PEAK] = {PIDS, "pids.peak", NULL, .held = true},
            [CGROUP_OOM_KILLS] = {MEMORY, "memory.oom_control", "oom_kill", .held = true},
        },
    .unthrottle = {.hierarchy = CPU, .file = "cpu.cfs_quota_us", .text = "-1"},
    .attach_by_child = true,
    .renewal = renewal,
    .renewal_count = ARRAY_LEN(renewal),
};

/* Where distributions mount the hierarchies; the second name is systemd's for a joint mount. */
static const struct {
    const char *paths[2];
    enum cgroup_controller controller;
} hierarchies[CGROUP_HIERARCHIES] = {
    [UNIFIED] = {{"/sys/fs/cgroup/unified"}, 0},
    [MEMORY] = {{"/sys/fs/cgroup/memory"}, CGROUP_MEMORY},
    [CPU] = {{"/sys/fs/cgroup/cpu", "/sys/fs/cgroup/cpu,cpuacct"}, CGROUP_CPU},
    [PIDS] = {{"/sys/fs/cgroup/pids"}, CGROUP_PIDS},
};

static const char *mounted(int hierarchy)
{
    for (size_t i = 0; i < ARRAY_LEN(hierarchies[hierarchy].paths); i++) {
        const char *path = hierarchies[hierarchy].paths[i];
        struct statfs info;
        if (path != NULL && statfs(path, &info) == 0 &&
            info.f_type == (hierarchy == UNIFIED ? CGROUP2_SUPER_MAGIC : CGROUP_SUPER_MAGIC))
            return path;
    }
    return NULL;
}

int cgroup_v1_open(struct cgroup_host *host, struct sb_error *err)
{
    host->backend = &v1;
    for (int h = 0; h < CGROUP_HIERARCHIES; h++) {
        const char *path = mounted(h);
        if (path == NULL) {
            if (h == UNIFIED)
                return sb_fail(err, "cgroup", ENOENT,
                               "no cgroup2 tree at %s: %m; see sandbox-run --doctor",
                               hierarchies[h].paths[0]);
            continue;
        }
        if (geteuid() != 0)
            return sb_fail(err, "cgroup", 0, "only root can use cgroup v1: run as root");
        char directory[64];
        snprintf(directory, sizeof(directory), "%s/sandbox-run", path);
        host->parent[h] = cgroup_open_directory(directory);
        if (host->parent[h] < 0)
            return sb_fail(err, "cgroup", errno,
                           "cannot make %s/sandbox-run: %m; is it mounted read-only?", path);
        host->controllers |= hierarchies[h].controller;
    }
    if (host->controllers == 0)
        return sb_fail(err, "cgroup", ENOENT,
                       "no cgroup v1 controllers below /sys/fs/cgroup: %m; leave --cgroup out");
    snprintf(host->place, sizeof(host->place),
             "/sys/fs/cgroup/{unified,memory,cpu,pids}/sandbox-run");
    return 0;
}

/* Resource limits: all of them set, none passed on. The limits that count are the cgroup's; these
 * bound what a cgroup does not know. See getrlimit(2). */
#include <sys/resource.h>

#include "inside.h"
#include "util.h"

#define MIB (UINT64_C(1) << 20)

/* A hard limit of the caller's that is lower can't be raised without privilege and is kept. */
static int set(__rlimit_resource_t resource, rlim_t value)
{
    struct rlimit now;
    if (getrlimit(resource, &now) < 0)
        return -1;
    value = value < now.rlim_max ? value : now.rlim_max;
    return setrlimit(resource, &(struct rlimit){value, value});
}

int rlimits_lower(int64_t open_files)
{
    return set(RLIMIT_NOFILE, (rlim_t)open_files);
}

int rlimits_set(struct inside *in)
{
    const struct {
        __rlimit_resource_t resource;
        rlim_t value;
    } rows[] = {
        /* Not 0: where core_pattern is a pipe the kernel ignores all values but 1, which means
         * none, and would feed the job's memory to a helper that is root on the host (core(5);
         * fs/coredump.c). */
        {RLIMIT_CORE, 1},
        {RLIMIT_NOFILE, (rlim_t)in->limits->value[SB_OPEN_FILES]},
        {RLIMIT_FSIZE, (rlim_t)in->limits->value[SB_TMP_BYTES]},
        {RLIMIT_STACK, 8 * MIB},
        {RLIMIT_MEMLOCK, 0},
        {RLIMIT_MSGQUEUE, MIB / 2},
        {RLIMIT_SIGPENDING, 1024},
        {RLIMIT_NICE, 0},
        {RLIMIT_RTPRIO, 0},
        {RLIMIT_RTTIME, 0},
        {RLIMIT_LOCKS, RLIM_INFINITY},
        {RLIMIT_AS, RLIM_INFINITY},
        {RLIMIT_DATA, RLIM_INFINITY},
        {RLIMIT_RSS, RLIM_INFINITY},
        {RLIMIT_CPU, RLIM_INFINITY},
        /* It counts a user's processes in all the user namespaces of older kernels, so that jobs
         * would starve each other: pids.max is the limit, this only stands in for it. */
        {RLIMIT_NPROC,
         in->limit_processes ? (rlim_t)in->limits->value[SB_PIDS] + 1 : RLIM_INFINITY},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        if (set(rows[i].resource, rows[i].value) < 0)
            return -1;
    return 0;
}

/* Resource limits: all of them set, none passed on. The limits that count are the cgroup's; these
 * bound what a cgroup does not know. See getrlimit(2). */
#include "calls.h"
#include "inside.h"
#include "util.h"

/* A hard limit of the caller's that is lower can't be raised without privilege and is kept. */
static int set(__rlimit_resource_t resource, rlim_t soft, rlim_t hard)
{
    struct rlimit now;
    if (sys_getrlimit(resource, &now) < 0)
        return -1;
    hard = hard < now.rlim_max ? hard : now.rlim_max;
    return sys_setrlimit(resource, &(struct rlimit){soft < hard ? soft : hard, hard});
}

int rlimits_lower(int64_t open_files)
{
    return set(RLIMIT_NOFILE, (rlim_t)open_files, (rlim_t)open_files);
}

/* Python's C library looks at it when it starts, for the stacks of threads, and the kernel for the
 * layout of memory. A script may raise its own: the cgroup holds the memory. */
int rlimits_set_stack(struct inside *in)
{
    (void)in;
    return set(RLIMIT_STACK, STACK_BYTES, RLIM_INFINITY);
}

/* Scripts set limits of their own, up to "unlimited": where the cgroup or the tmpfs holds what a
 * limit is about, nothing but the caller's own hard limit bounds them. */
int rlimits_set(struct inside *in)
{
    const rlim_t open_files = (rlim_t)in->limits->value[SB_OPEN_FILES];
    /* It counts a user's processes in all the user namespaces of older kernels, so that jobs would
     * starve each other: pids.max is the limit, this only stands in for it. */
    const rlim_t processes =
        in->limit_processes ? (rlim_t)in->limits->value[SB_PIDS] + 1 : RLIM_INFINITY;
    const struct {
        __rlimit_resource_t resource;
        rlim_t soft, hard;
    } rows[] = {
        /* Not 0: where core_pattern is a pipe the kernel ignores all values but 1, which means
         * none, and would feed the job's memory to a helper that is root on the host (core(5);
         * fs/coredump.c). */
        {RLIMIT_CORE, 1, 1},
        {RLIMIT_NOFILE, open_files, open_files},
        /* All that a script can write to is on the tmpfs, which counts pages: a sparse file may be
         * longer. */
        {RLIMIT_FSIZE, RLIM_INFINITY, RLIM_INFINITY},
        {RLIMIT_MEMLOCK, 0, 0},
        /* These two count up to the user that made the job's namespace, root mostly, and to what
         * that may have (kernel/ucount.c). No queue of messages can be made; signals that are
         * queued and timers are few, so that those of all jobs together leave the host its own.
         * Past that a signal still arrives, but without its siginfo. */
        {RLIMIT_MSGQUEUE, 0, 0},
        {RLIMIT_SIGPENDING, 64, 64},
        {RLIMIT_NICE, 0, 0},
        {RLIMIT_RTPRIO, 0, 0},
        {RLIMIT_RTTIME, 0, 0},
        {RLIMIT_LOCKS, RLIM_INFINITY, RLIM_INFINITY},
        {RLIMIT_AS, RLIM_INFINITY, RLIM_INFINITY},
        {RLIMIT_DATA, RLIM_INFINITY, RLIM_INFINITY},
        {RLIMIT_RSS, RLIM_INFINITY, RLIM_INFINITY},
        {RLIMIT_CPU, RLIM_INFINITY, RLIM_INFINITY},
        {RLIMIT_NPROC, processes, processes},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        if (set(rows[i].resource, rows[i].soft, rows[i].hard) < 0)
            return -1;
    return rlimits_set_stack(in);
}

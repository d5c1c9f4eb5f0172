/* Resource limits: all are set, none is inherited. The cgroup has the important ones; these bound
 * resources that a cgroup does not count. See getrlimit(2) and rlimits.h. */
#include "inside/rlimits.h"

#include <string.h>

#include "common/util.h"
#include "inside/calls.h"

/* Descriptors that a zygote may have open. */
#define ZYGOTE_FILES 1024

/* In whole seconds, as for setrlimit(2). */
static rlim_t seconds(int64_t milliseconds)
{
    return (rlim_t)((milliseconds + 999) / 1000);
}

/* The CPU time that one process can use before the job's own times are over, and one second. */
static rlim_t least_cpu_seconds(const struct sb_limits *limits)
{
    int64_t cpus = MAX(limits->value[SB_MILLICPUS] / 1000 + 1, 1);
    int64_t by_wall = limits->value[SB_WALL_TIME_MS] * cpus;
    return seconds(MIN(limits->value[SB_CPU_TIME_MS], by_wall)) + 1;
}

#define NONE RLIM_INFINITY

/* Scripts may set limits of their own, up to "unlimited": where the cgroup or the tmpfs bounds a
 * resource, these limits don't. */
static const struct rlimit_row fixed[] = {
    /* Not 0: where core_pattern is a pipe the kernel ignores all values except for 1, which means
     * none, and would feed the job's memory to a helper that is root on the host (core(5);
     * fs/coredump.c). */
    {RLIMIT_CORE, 1, 1, 0, 'c', "", "size of core dumps", "bytes"},
    /* All files that a script can write to are on the tmpfs, which counts pages: a sparse file may
     * be longer. */
    {RLIMIT_FSIZE, NONE, NONE, NONE, 'f', "", "size of files", "bytes"},
    {RLIMIT_MEMLOCK, 0, 0, 0, 'l', "", "locked memory", "bytes"},
    /* These two also count for the user that made the job's namespace, mostly root, and for that
     * user's limit (kernel/ucount.c). No message queue can be made. Queued signals and timers are
     * few, so that all jobs together leave enough for the host. Beyond that a signal still arrives,
     * but without its siginfo. */
    {RLIMIT_MSGQUEUE, 0, 0, 0, 'q', "", "size of message queues", "bytes"},
    {RLIMIT_SIGPENDING, 64, 64, 64, 'i', "", "number of queued signals", "count"},
    {RLIMIT_NICE, 0, 0, 0, 'e', "", "nice value", "count"},
    {RLIMIT_RTPRIO, 0, 0, 0, 'r', "", "real-time priority", "count"},
    {RLIMIT_RTTIME, 0, 0, 0, 'R', "", "real-time CPU time", "count"},
    /* No kernel enforces these two. */
    {RLIMIT_LOCKS, NONE, NONE, 0, 'x', "", "number of file locks", "count"},
    {RLIMIT_RSS, NONE, NONE, 0, 'm', "", "resident memory", "bytes"},
    {RLIMIT_AS, NONE, NONE, NONE, 'v', "", "address space", "bytes"},
    {RLIMIT_DATA, NONE, NONE, NONE, 'd', "", "size of data", "bytes"},
    /* Python's C library reads it at its start, for the stacks of threads, and the kernel for the
     * layout of memory. A script may raise its own: the cgroup bounds the memory. */
    {RLIMIT_STACK, STACK_BYTES, NONE, STACK_BYTES, 's', "", "size of the stack", "bytes"},
};

size_t rlimits_of(const struct inside *in, struct rlimit_row rows[RLIMIT_ROWS])
{
    const rlim_t files = (rlim_t)in->limits->value[SB_OPEN_FILES];
    const rlim_t cpu = in->limit_cpu ? seconds(in->limits->value[SB_CPU_TIME_MS]) : NONE;
    const rlim_t cpu_least = in->limit_cpu ? cpu : least_cpu_seconds(in->limits);
    /* It counts a user's processes in all the user namespaces of older kernels, so that jobs would
     * starve each other: pids.max is the limit, this only stands in for it. */
    const rlim_t pids = (rlim_t)in->limits->value[SB_PIDS] + 1;
    const rlim_t processes = in->limit_processes ? pids : NONE;
    const struct rlimit_row policys[] = {
        {RLIMIT_NOFILE, files, files, files, 'n', "open_files", "number of open files", "count"},
        {RLIMIT_CPU, cpu, cpu, cpu_least, 't', "cpu_time_ms", "CPU time", "s"},
        {RLIMIT_NPROC, processes, processes, pids, 'u', "pids", "number of processes", "count"},
    };
    _Static_assert(ARRAY_LEN(fixed) + ARRAY_LEN(policys) == RLIMIT_ROWS, "one row a limit");
    memcpy(rows, fixed, sizeof(fixed));
    memcpy(rows + ARRAY_LEN(fixed), policys, sizeof(policys));
    return RLIMIT_ROWS;
}

/* A lower hard limit can't be raised in the child: see rlimits_lift. */
static int set(int resource, rlim_t soft, rlim_t hard)
{
    struct rlimit now;
    if (sys_getrlimit(resource, &now) < 0)
        return -1;
    hard = MIN(hard, now.rlim_max);
    return sys_setrlimit(resource, &(struct rlimit){MIN(soft, hard), hard});
}

int rlimits_lower(int64_t open_files)
{
    return set(RLIMIT_NOFILE, (rlim_t)open_files, (rlim_t)open_files);
}

int rlimits_set(struct inside *in)
{
    struct rlimit_row rows[RLIMIT_ROWS];
    size_t count = rlimits_of(in, rows);
    for (size_t i = 0; i < count; i++)
        if (set(rows[i].resource, rows[i].soft, rows[i].hard) < 0)
            return -1;
    return 0;
}

/* Children can't raise a limit that their zygote keeps low. */
int rlimits_set_zygote(struct inside *in)
{
    struct rlimit_row rows[RLIMIT_ROWS];
    struct rlimit files;
    size_t count = rlimits_of(in, rows);
    for (size_t i = 0; i < count; i++)
        if (rows[i].hard == RLIM_INFINITY && set(rows[i].resource, rows[i].soft, rows[i].hard) < 0)
            return -1;
    if (sys_getrlimit(RLIMIT_NOFILE, &files) < 0)
        return -1;
    return set(RLIMIT_NOFILE, MAX(files.rlim_cur, ZYGOTE_FILES), files.rlim_max);
}

/* ── The caller's ──────────────────────────────────────────────────────────────────────────── */

/* False: the caller may not raise it. */
static bool raise_for(pid_t pid, const struct rlimit_row *row, const struct rlimit *ours)
{
    struct rlimit raised = {MAX(ours->rlim_cur, row->soft), MAX(ours->rlim_max, row->hard)};
    if (syscall(SYS_prlimit64, pid, row->resource, &raised, NULL) == 0)
        return true;
    raised = (struct rlimit){MIN(raised.rlim_cur, ours->rlim_max), ours->rlim_max};
    syscall(SYS_prlimit64, pid, row->resource, &raised, NULL);
    return ours->rlim_max >= row->least;
}

int rlimits_lift(pid_t pid, const struct inside *in, struct rlimit_row *held, rlim_t *at)
{
    struct rlimit_row rows[RLIMIT_ROWS];
    size_t count = rlimits_of(in, rows);
    int result = 0;
    for (size_t i = 0; i < count; i++) {
        struct rlimit ours;
        if (sys_getrlimit(rows[i].resource, &ours) < 0 ||
            (ours.rlim_cur >= rows[i].soft && ours.rlim_max >= rows[i].hard) ||
            raise_for(pid, &rows[i], &ours))
            continue;
        *held = rows[i];
        *at = ours.rlim_max;
        result = -1;
    }
    return result;
}

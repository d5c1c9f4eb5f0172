/* Looks at a job for its clock (clock.h): how long its tasks had a CPU, and waited for one. */
#ifndef SB_SCHEDSTAT_H
#define SB_SCHEDSTAT_H

#include "cgroup/cgroup.h"
#include "core/clock.h"

/* Whether the kernel tells how long a task waited for a CPU. */
bool schedstat_available(void);

/* How long this thread had a CPU and waited for one, and how many bytes it moved from and to jobs'
 * pipes. */
struct own_times {
    int64_t looked_us; /* the time of this look */
    int64_t cpu_us, delay_us, moved_bytes;
};

/* Looks at this thread, unless the last look was just before. */
void schedstat_own(struct own_times *own);

/* Looks at a job now, and advances its clock. The tasks of a job that was asleep and has had no CPU
 * since are not read, unless `surely`: something is decided by this look. held_up_us: see clock.h.
 * Where the kernel tells nothing, nothing is withheld. */
void schedstat_look(struct job_clock *clock, const struct cgroup_host *host,
                    const struct cgroup_job *job, int64_t held_up_us, bool surely);

#endif

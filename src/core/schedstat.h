/* Looks at a job for its clock (clock.h): what its tasks used of the CPUs, and waited for them. */
#ifndef SB_SCHEDSTAT_H
#define SB_SCHEDSTAT_H

#include "cgroup/cgroup.h"
#include "core/clock.h"

/* The kernel tells how long a task waited for a CPU. */
bool schedstat_available(void);

/* What this thread has used of the CPUs, waited for them, and moved from and to jobs' pipes. */
struct own_times {
    int64_t looked_us; /* as of then */
    int64_t cpu_us, delay_us, moved_bytes;
};

/* Looks at this thread, unless that has just been done. */
void schedstat_own(struct own_times *own);

/* Looks at a job now, and advances its clock. One that was asleep and has had no CPU since is not
 * looked at closely, unless it must be known `surely`, since something is decided by it.
 * held_up_us: see clock.h. Where the kernel tells nothing, nothing is withheld. */
void schedstat_look(struct job_clock *clock, const struct cgroup_host *host,
                    const struct cgroup_job *job, int64_t held_up_us, bool surely);

#endif

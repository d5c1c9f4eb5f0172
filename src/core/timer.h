/* A job's times: wall time by its clock (clock.h), CPU time by its cgroup. */
#ifndef SB_TIMER_H
#define SB_TIMER_H

#include "core/run.h"

/* Makes the timer, if there is none. −1 with errno. */
int timer_make(struct sb_run *run);
void timer_arm(struct sb_run *run, int64_t in_us);

/* The job's clock runs, since its evidence's started_us. */
void timer_begin(struct sb_run *run);

/* Whether the wall clock, as far as it is known without a look at the job, has run out: before such
 * a look its pipes are to be read. */
bool timer_is_decisive(const struct sb_run *run, int64_t now_us);

/* Looks at the clocks, and arms the timer for the next look. Returns the cause to end the job for
 * when one has run out, else CAUSE_NONE. */
enum cause timer_check(struct sb_run *run, int64_t now_us);

#endif

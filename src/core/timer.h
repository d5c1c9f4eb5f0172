/* Checks a job's times: wall time by its clock (clock.h), CPU time by its cgroup. */
#ifndef SB_TIMER_H
#define SB_TIMER_H

#include "core/run.h"

/* Makes the run's timer, if it has none. −1 with errno. */
int timer_make(struct sb_run *run);
void timer_arm(struct sb_run *run, int64_t in_us);

/* Starts the job's clock, at started_us of its evidence. */
void timer_begin(struct sb_run *run);

/* Whether the wall time has run out, as far as is known without a look at the job. If so, read its
 * pipes before such a look. */
bool timer_is_decisive(const struct sb_run *run, int64_t now_us);

/* Checks the clocks, and arms the timer for the next look. Returns the cause to end the job for, if
 * a time has run out, else CAUSE_NONE. */
enum cause timer_check(struct sb_run *run, int64_t now_us);

#endif

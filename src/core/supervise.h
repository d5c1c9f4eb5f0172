/* Watches the jobs of a sandbox in one loop. */
#ifndef SB_SUPERVISE_H
#define SB_SUPERVISE_H

#include "core/run.h"

/* Begins to watch a run whose process has been launched; its clocks run from here. −1: *err says
 * why. */
int run_watch(struct sb_run *run, struct sb_error *err);

/* Notes that the code was let in at this time; the time before was ours, not the job's. */
void run_let_in(struct sb_run *run, int64_t at_us);

/* Does deferred work: begins to listen to warm runs that take longer than most, finishes runs that
 * never started, releases runs that have their verdict. Sets sandbox->untended if some is left. */
void runs_tend(struct sb_sandbox *sandbox);

/* Removes the cgroups of dead owners, once. It is not a part of sb_open, so that the first job need
 * not wait for it: it is called while that job's python starts. */
void clear_stale_once(struct sb_sandbox *sandbox);

#endif

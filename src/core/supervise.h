/* Watching the jobs of a sandbox: one loop for all of them. */
#ifndef SB_SUPERVISE_H
#define SB_SUPERVISE_H

#include "core/run.h"

/* Watches a run whose process has been launched; its clocks run from here. */
int run_watch(struct sb_run *run, struct sb_error *err);

/* The code has been let in at that time: until then it was we who took the time. */
void run_let_in(struct sb_run *run, int64_t at_us);

/* What can wait: begins to listen to warm runs that take longer than most, finishes those that
 * never started, releases what is left of those that have their verdict. Leaves sandbox->untended
 * as long as there are such. */
void runs_tend(struct sb_sandbox *sandbox);

/* Clears what dead owners left, once. Not in sb_open: a first job would have to wait for it, and
 * when it is called its python is starting. */
void clear_stale_once(struct sb_sandbox *sandbox);

#endif

/* The end of a run: pid 1 is waited for, the evidence is read, the verdict is given, and all that
 * the run has is given back. */
#ifndef SB_FINISH_H
#define SB_FINISH_H

#include <signal.h>

#include "core/run.h"

/* Waits for pid 1, as waitid(2) with the flags `leave` besides. False: it has not ended. If there
 * is nothing to wait for, pid 1 has ended as well: the caller's own wait for any child has reaped
 * it (or it never existed). */
bool run_wait_for_init(struct sb_run *run, siginfo_t *info, int leave);

/* Whether the job is dead and all its output is read. */
bool run_is_finished(const struct sb_run *run);

/* Gives a finished run its verdict, and frees it, unless its cgroup is not empty yet: then the
 * timer tries again. A warm job's verdict is given first, and run_release does the rest; if that
 * fails, the next start clears its cgroup. */
void run_finish(struct sb_run *run);

/* Releases what is left of a run that has its verdict, and frees it. If it cannot yet, the next
 * call tries again. */
void run_release(struct sb_run *run);

#endif

/* A job that runs: what was asked for, what there is of it on the host, what is known of it. It is
 * made by sandbox.c, started by launch.c or src/warm, turned by supervise.c, judged by verdict.c.
 */
#ifndef SB_RUN_H
#define SB_RUN_H

#include <sys/queue.h>

#include "core/clock.h"
#include "core/context.h"
#include "core/denied.h"
#include "core/evidence.h"
#include "core/feed.h"
#include "core/floor.h"
#include "core/process.h"
#include "core/schedstat.h"
#include "core/stream.h"

/* Each follows the one before; some may be left out. A warm child that dies before it has its job
 * takes the run back to the first. */
enum run_phase {
    RUN_WAITING, /* it has no process yet */
    RUN_STARTED, /* a process takes its steps, or the job */
    RUN_LET_IN,  /* the code has been let in: from then on its time counts */
    RUN_DEAD,    /* every process of the job; pid 1 may be about to end, and to be waited for */
    RUN_JUDGED,  /* its verdict is given; the host still has its cgroup and a zombie */
};

#define MISSING_MAX 8

struct sb_run {
    struct sb_sandbox *sandbox;
    LIST_ENTRY(sb_run) link;
    struct asked asked;
    struct process process;
    struct evidence evidence;
    enum run_phase phase;

    struct source source[SOURCES];
    bool listened; /* to all of them: see sources_listen */
    struct stream stream[SB_STREAMS];
    struct feed feed;
    struct denied *denied; /* what was refused and is reported; NULL: nothing so far */

    struct job_clock clock; /* what wall_time_ms limits, and is compared with */
    int64_t look_us;        /* how long after a look at it the next one is */
    struct growth growth;   /* floor.c's */
    struct own_times own;   /* as of the last time that its pipes were found to have been of use: */
    int64_t moved_bytes;    /* since then; see held_up() in timer.c */
    int oom_looks;     /* v1: looks still to be taken at a counter that lags behind its event */
    int removal_tries; /* of the cgroup */

    struct warm_job *warm_job;            /* the job's copy, until a warm child has taken it */
    const char *missing[MISSING_MAX + 1]; /* what is not enforced: constants, NULL-terminated */
};

/* A run without a job. NULL: no memory. */
struct sb_run *run_new(struct sb_sandbox *sandbox);

/* What is not enforced, for the verdict: a constant string. */
void run_lacks(struct sb_run *run, const char *what);

/* Kills all of a job, because of `cause` if nothing has ended it before. Its verdict follows. */
void run_kill(struct sb_run *run, enum cause cause);

/* Kills a job because the sandbox itself failed: `reason` is what the verdict says. */
void run_fail(struct sb_run *run, const char *reason);

/* Finishes a run that has no process: its verdict follows soon. */
void run_finish_unstarted(struct sb_run *run);

/* Releases all that it still has, and frees it. */
void run_free(struct sb_run *run);

#endif

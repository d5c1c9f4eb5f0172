/* A running job: what was asked for, its part of the host, and what is known of it. sandbox.c makes
 * it, launch.c or src/warm starts it, supervise.c watches it, verdict.c judges it. */
#ifndef SB_RUN_H
#define SB_RUN_H

#include <sys/queue.h>

#include "core/clock.h"
#include "core/collect.h"
#include "core/context.h"
#include "core/denied.h"
#include "core/displays.h"
#include "core/evidence.h"
#include "core/feed.h"
#include "core/floor.h"
#include "core/process.h"
#include "core/schedstat.h"
#include "core/stream.h"

/* Phases follow in this order; some may be left out. If a warm child dies before it has its job,
 * the run is in the first phase again. */
enum run_phase {
    RUN_WAITING, /* it has no process yet */
    RUN_STARTED, /* its process takes its steps, or takes the job */
    RUN_LET_IN,  /* the code has been let in: its time counts from here */
    RUN_DEAD,    /* the job is dead, but pid 1 may still be ending, or wait to be reaped */
    RUN_JUDGED,  /* it has its verdict; its cgroup and a zombie remain */
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
    bool listened; /* we listen to all sources: see sources_listen */
    struct stream stream[SB_STREAMS];
    struct feed feed;
    struct denied *denied;    /* refused calls that are reported; NULL: none so far */
    struct displays displays; /* of a notebook cell */
    struct collect *collect;  /* the files that come back; NULL: none */

    struct job_clock clock; /* the clock that wall_time_ms limits */
    int64_t look_us;        /* the time from one look at the job to the next */
    struct growth growth;   /* floor.c's */
    struct own_times own;   /* our times at the last look at its busy pipes */
    int64_t moved_bytes;    /* moved since that look; see held_up() in timer.c */
    int oom_looks;     /* v1: looks left at the counter of kills, which lags behind its event */
    int removal_tries; /* tries to remove the cgroup */

    struct warm_job *warm_job;            /* a copy of the job, until a warm child has taken it */
    const char *missing[MISSING_MAX + 1]; /* what is not enforced: constants, NULL-terminated */
};

/* Makes a run without a job. NULL: out of memory. */
struct sb_run *run_new(struct sb_sandbox *sandbox);

/* Notes for the verdict that `what`, a constant string, is not enforced. */
void run_lacks(struct sb_run *run, const char *what);

/* Kills all of a job. `cause` is the reason, unless something else ended the job before. Its
 * verdict follows. */
void run_kill(struct sb_run *run, enum cause cause);

/* Kills a job because the sandbox itself failed; its verdict says `reason`. */
void run_fail(struct sb_run *run, const char *reason);

/* Finishes a run that has no process; its verdict follows soon. */
void run_finish_unstarted(struct sb_run *run);

/* Releases everything that a run still has, and frees it. */
void run_free(struct sb_run *run);

#endif

/* What is known about how a job ran and ended. A verdict depends on this and on what was asked for,
 * and on nothing else (verdict.h). */
#ifndef SB_EVIDENCE_H
#define SB_EVIDENCE_H

#include <stdbool.h>
#include <stdint.h>

#include "inside/report.h"
#include "sandbox.h"

/* An admitted job, as its caller asked for it. */
struct asked {
    const struct sb_policy *policy;
    struct sb_limits limits; /* the limits in force */
    char id[65];             /* 64 characters: as long as a SHA-256 in hexadecimal */
    bool merge_stderr;       /* stderr goes to stdout: SOURCE_STDERR stays empty */
    bool notebook;           /* the code is a notebook cell */
    const char *python;      /* path in the root file system, for errors */
    void (*on_output)(void *user, enum sb_stream stream, const void *data, size_t size);
    void (*on_display)(void *user, const char *json, size_t size);
    void (*on_done)(void *user, const struct sb_verdict *verdict);
    void *user;
};

/* Why the supervisor ended a job. The first cause counts. */
enum cause {
    CAUSE_NONE,
    CAUSE_CALLER,
    CAUSE_WALL_TIME,
    CAUSE_STARVED, /* for too long the host had no CPU for it */
    CAUSE_CPU_TIME,
    CAUSE_OUTPUT,
    CAUSE_OOM,
    CAUSE_HOST_MEMORY, /* the floor was reached, or memory ran out and not at the job's own limit */
    CAUSE_INTERNAL
};

/* What pid 1 has reported about the script. */
enum script_end {
    SCRIPT_UNSEEN, /* nothing yet: it runs, or pid 1 was killed first */
    SCRIPT_FAILED, /* a step failed before it could start: `failure` */
    SCRIPT_EXITED, /* it ended by itself, as `status` says */
};

/* The longest name of an exception's class that is believed. */
#define EXCEPTION_NAME_MAX 100

struct evidence {
    int64_t started_us, ended_us; /* of the code, CLOCK_MONOTONIC; ended 0: still running */
    enum cause cause;
    int kill_signal;  /* CAUSE_CALLER */
    char reason[256]; /* of CAUSE_CALLER and CAUSE_INTERNAL; of CAUSE_HOST_MEMORY when the floor was
                         reached */

    enum script_end end;
    struct report failure;      /* SCRIPT_FAILED */
    int status;                 /* SCRIPT_EXITED: as wait(2) tells it */
    bool alone;                 /* when the script ended, nothing else of the job was alive */
    int init_code, init_status; /* how pid 1 ended: si_code, si_status of waitid(2) */

    char *message; /* what came on the result pipe, up to its limit */
    size_t message_size;
    bool message_too_long;
    int64_t written[SB_STREAMS]; /* bytes */

    int64_t cpu_time_us, memory_peak, pids_peak; /* −1: not known, here and below */
    int64_t oom_kills, memory_hits; /* kills for memory; how often the job hit its limit */
    int64_t cpu_time_before_us;     /* used before the code was let in */
    int64_t times_us;               /* without a cgroup: of pid 1 and all that it waited for */
};

/* Evidence of which nothing has been seen yet. */
void evidence_init(struct evidence *evidence);
/* Leaves *evidence as after evidence_init. */
void evidence_free(struct evidence *evidence);

#endif

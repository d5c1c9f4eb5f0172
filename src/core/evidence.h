/* What is known of how a job ran and ended. Verdicts follow from it and from what was asked for,
 * and from nothing else (verdict.h). */
#ifndef SB_EVIDENCE_H
#define SB_EVIDENCE_H

#include <stdbool.h>
#include <stdint.h>

#include "inside/report.h"
#include "sandbox.h"

/* What a caller asked for, once it has been admitted. */
struct asked {
    const struct sb_policy *policy;
    struct sb_limits limits; /* in force */
    char id[65];             /* 64 characters: as long as a SHA-256 in hexadecimal */
    bool merge_stderr;       /* the script's stderr is its stdout: SOURCE_STDERR has nothing */
    const char *python;      /* path in the root file system, for errors */
    void (*on_output)(void *user, enum sb_stream stream, const void *data, size_t size);
    void (*on_done)(void *user, const struct sb_verdict *verdict);
    void *user;
};

/* Why the supervisor ended a job. The first cause counts. */
enum cause {
    CAUSE_NONE,
    CAUSE_CALLER,
    CAUSE_WALL_TIME,
    CAUSE_STARVED, /* the host had no CPU for it, for too long */
    CAUSE_CPU_TIME,
    CAUSE_OUTPUT,
    CAUSE_OOM,
    CAUSE_HOST_MEMORY, /* the floor was reached; or judged at the end: not by its own limit */
    CAUSE_INTERNAL
};

/* What pid 1 has told of the script. */
enum script_end {
    SCRIPT_UNSEEN, /* nothing: it runs, or pid 1 was killed first */
    SCRIPT_FAILED, /* a step failed before it could start: `failure` */
    SCRIPT_EXITED, /* it ended by itself, as `status` says */
};

/* The longest name of an exception's class that is believed. */
#define EXCEPTION_NAME_MAX 100

struct evidence {
    int64_t started_us, ended_us; /* of the code, CLOCK_MONOTONIC; ended 0: still running */
    enum cause cause;
    int kill_signal;  /* CAUSE_CALLER */
    char reason[256]; /* CAUSE_CALLER, CAUSE_INTERNAL, of CAUSE_HOST_MEMORY the floor */

    enum script_end end;
    struct report failure;      /* SCRIPT_FAILED */
    int status;                 /* SCRIPT_EXITED: as wait(2) tells it */
    bool alone;                 /* when the script ended, nothing else of the job was alive */
    int init_code, init_status; /* how pid 1 ended: si_code, si_status of waitid(2) */

    char *message; /* what came on the result pipe, up to its limit */
    size_t message_size;
    bool message_too_long;
    int64_t written[SB_STREAMS]; /* bytes */

    int64_t cpu_time_us, memory_peak, pids_peak; /* −1: not known, as all below */
    int64_t oom_kills,
        memory_hits;            /* how often the kernel killed, and the job ran into its limit */
    int64_t cpu_time_before_us; /* used before the code was let in; 0: nothing */
    int64_t times_us; /* of pid 1 and all that it waited for: only where no cgroup counts */
};

/* Nothing has been seen yet. */
void evidence_init(struct evidence *evidence);
/* *evidence is as after evidence_init. */
void evidence_free(struct evidence *evidence);

#endif

/* A sandbox and the jobs that run in it: what supervise.c turns, launch.c starts and verdict.c
 * judges. */
#ifndef SB_RUN_H
#define SB_RUN_H

#include <linux/filter.h>
#include <sys/types.h>

#include "cgroup.h"
#include "feed.h"
#include "inside.h"
#include "rootfs.h"
#include "sandbox.h"
#include "stream.h"

/* What a run listens to in the epoll. */
enum source_kind {
    SOURCE_PIDFD,  /* pid 1 of the job, and so all of it, has ended */
    SOURCE_TIMER,  /* the next thing to look at: wall time, CPU time, removal of the cgroup */
    SOURCE_STDOUT, /* the three pipes from the script, in the order of enum sb_stream */
    SOURCE_STDERR,
    SOURCE_RESULT,
    SOURCE_REPORT, /* from pid 1: a step that failed, how the script ended */
    SOURCE_STDIN,  /* the pipe to the script */
    SOURCE_FEED,   /* where its stdin is relayed from */
    SOURCE_OOM,    /* cgroup v1: memory ran out */
    SOURCES
};

struct source {
    struct sb_run *run;
    enum source_kind kind;
    int fd;           /* −1 once closed */
    uint32_t watched; /* epoll events asked for; 0: not in the epoll */
};

/* Why the supervisor ended a job. The first cause counts. */
enum cause {
    CAUSE_NONE,
    CAUSE_CALLER,
    CAUSE_WALL_TIME,
    CAUSE_CPU_TIME,
    CAUSE_OUTPUT,
    CAUSE_OOM,
    CAUSE_HOST_MEMORY, /* judged at the end: not by its own limit */
    CAUSE_INTERNAL
};

#define MISSING_MAX 8

/* The longest name of an exception's class that is believed. */
#define EXCEPTION_NAME_MAX 100

struct sb_run {
    struct sb_sandbox *sandbox;
    struct sb_run *previous, *next;
    const struct sb_policy *policy;
    struct sb_limits limits; /* in force */
    char id[65];             /* 64 characters: as long as a SHA-256 in hexadecimal */
    void (*on_output)(void *user, enum sb_stream stream, const void *data, size_t size);
    void (*on_done)(void *user, const struct sb_verdict *verdict);
    void *user;

    pid_t pid; /* of pid 1, as the host sees it */
    struct cgroup_job cgroup;
    struct source source[SOURCES];
    struct stream stream[SB_STREAMS];
    struct feed feed;
    char *message; /* what came on the result pipe, up to its limit */
    size_t message_size;
    bool message_too_long;

    int control;                  /* write end: closed, it ends the job (init.c) */
    int64_t started_us, ended_us; /* CLOCK_MONOTONIC; ended 0: still running */
    bool reaped;                  /* pid 1 is gone, and with it every process of the job */
    bool init_exited;             /* by itself, not by a signal */
    int init_status;              /* its exit status or signal */
    bool exited;                  /* the script ended, as `status` says */
    int status;
    bool failed; /* a step failed before the script started */
    struct report failure;
    enum cause cause;
    int kill_signal;     /* CAUSE_CALLER */
    char reason[256];    /* CAUSE_CALLER, CAUSE_INTERNAL */
    int removal_tries;   /* of the cgroup */
    int64_t cpu_time_us; /* evidence, read before the cgroup goes */
    int64_t memory_peak, pids_peak, oom_kills, memory_hits;
    int oom_looks; /* v1: looks still to be taken at a counter that lags behind its event */
    const char *missing[MISSING_MAX + 1]; /* constant strings, NULL-terminated */
};

struct filter {
    char *profile;
    struct sock_fprog program;
    struct filter *next;
};

struct sb_sandbox {
    int epoll;
    struct rootfs rootfs;
    struct cgroup_host cgroup;
    bool turning; /* in sb_turn: a callback may not call it again */
    bool cleared; /* what dead owners left in it */
    uint32_t uid_first, uid_count;
    bool best_effort;
    struct filter *filters; /* programs by profile, loaded when first needed */
    struct sb_run *runs;
    size_t running;
    char *buffer; /* for reading from pipes */
};

#define READ_SIZE (64 * 1024)

int64_t monotonic_us(void);

/* launch.c: fills in run->pid and the sources' descriptors. On errors nothing is left running. */
int launch(struct sb_run *run, struct inside *in, struct sb_error *err);

/* Kills the child of a start that failed half-way and waits until it is gone. */
void launch_abandon(struct sb_run *run);

/* sources.c */

/* Asks for events of a source; 0 takes it out of the epoll. Returns −1 with errno. */
int source_watch(struct sb_run *run, enum source_kind kind, uint32_t events);
void source_close(struct sb_run *run, enum source_kind kind);
/* Reads once from one of the script's three pipes; closes it at its end. False when there is
 * nothing more to get now. */
bool source_read(struct sb_run *run, enum source_kind kind);
/* Decides what stdin waits for next: room in the script's pipe, or more from what feeds it. */
void stdin_next(struct sb_run *run);
void stdin_on_feed(struct sb_run *run);
void stdin_on_pipe(struct sb_run *run, uint32_t events);

/* supervise.c */
int run_watch(struct sb_run *run, struct sb_error *err);
void run_kill(struct sb_run *run, enum cause cause);
/* Ends a job because the sandbox itself failed: `reason` is what the verdict says. */
void run_fail(struct sb_run *run, const char *reason);
void run_free(struct sb_run *run);
void clear_stale_once(struct sb_sandbox *sandbox);

/* verdict.c: judges by the evidence and calls on_done. */
void verdict_give(struct sb_run *run);

#endif

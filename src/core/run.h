/* A sandbox and the jobs that run in it: what supervise.c turns, launch.c starts and verdict.c
 * judges. */
#ifndef SB_RUN_H
#define SB_RUN_H

#include <linux/filter.h>
#include <sys/queue.h>
#include <sys/types.h>

#include "cgroup/cgroup.h"
#include "core/clock.h"
#include "core/denied.h"
#include "core/feed.h"
#include "core/floor.h"
#include "core/rootfs.h"
#include "core/schedstat.h"
#include "core/stream.h"
#include "core/uids.h"
#include "inside/inside.h"
#include "sandbox.h"

/* What a run listens to in the epoll. */
enum source_kind {
    SOURCE_PIDFD,  /* pid 1 of the job, and so all of it, has ended */
    SOURCE_TIMER,  /* the next thing to look at: wall time, CPU time, removal of the cgroup */
    SOURCE_STDOUT, /* the three pipes from the script, in the order of enum sb_stream */
    SOURCE_STDERR,
    SOURCE_RESULT,
    SOURCE_REPORT,  /* from pid 1: a step that failed, how the script ended */
    SOURCE_STDIN,   /* the pipe to the script */
    SOURCE_FEED,    /* where its stdin is relayed from */
    SOURCE_OOM,     /* cgroup v1: memory ran out */
    SOURCE_DENIED,  /* refused calls that are to be reported wait; before, of a cold start, the
                       socket on which that listener comes */
    SOURCE_CHANNEL, /* to a warm child: takes the job, and tells that it has it */
    SOURCE_WARM,    /* of no run: src/warm's own */
    SOURCE_FLOOR,   /* of no run: the next look at the host's memory */
    SOURCES
};

struct source {
    struct sb_run *run;
    enum source_kind kind;
    int fd;           /* −1 once closed */
    int spent;        /* what it was, to be closed when nobody waits; else −1 */
    uint32_t watched; /* epoll events asked for; 0: not in the epoll */
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

#define MISSING_MAX 8

/* Of a warm job's namespaces, the mount and the IPC one: to end them takes time. */
#define HELD_NAMESPACES 2

/* The longest name of an exception's class that is believed. */
#define EXCEPTION_NAME_MAX 100

struct sb_run {
    struct sb_sandbox *sandbox;
    LIST_ENTRY(sb_run) link;
    const struct sb_policy *policy;
    struct sb_limits limits; /* in force */
    char id[65];             /* 64 characters: as long as a SHA-256 in hexadecimal */
    void (*on_output)(void *user, enum sb_stream stream, const void *data, size_t size);
    void (*on_done)(void *user, const struct sb_verdict *verdict);
    void *user;
    bool merge_stderr; /* the script's stderr is its stdout: SOURCE_STDERR has or gets nothing */

    pid_t pid; /* of pid 1, as the host sees it */
    struct cgroup_job cgroup;
    int held[HELD_NAMESPACES]; /* descriptors of those whose end the verdict shall not wait for */
    struct source source[SOURCES];
    struct stream stream[SB_STREAMS];
    struct feed feed;
    char *message; /* what came on the result pipe, up to its limit */
    size_t message_size;
    bool message_too_long;

    int control;                  /* write end: closed, it ends the job (init.c) */
    int64_t started_us, ended_us; /* CLOCK_MONOTONIC; ended 0: still running */
    bool let_in;                  /* the code: from then on its time counts */
    struct job_clock clock;       /* what wall_time_ms limits, and is compared with */
    struct growth growth;         /* floor.c's */
    struct own_times own; /* as of the last time that its pipes were found to have been of use: */
    int64_t moved_bytes;  /* since then; see held_up() in timer.c */
    int64_t look_us;      /* how long after a look at it the next one is */
    bool dead; /* every process of the job; pid 1 may be about to end, and to be waited for */
    bool init_exited; /* by itself, not by a signal */
    int init_status;  /* its exit status or signal */
    bool exited;      /* the script ended, as `status` says */
    bool alone;       /* and nothing else of the job was alive by then */
    int status;
    bool failed; /* a step failed before the script started */
    struct report failure;
    enum cause cause;
    int kill_signal;     /* CAUSE_CALLER */
    char reason[256];    /* CAUSE_CALLER, CAUSE_INTERNAL, of CAUSE_HOST_MEMORY the floor */
    int removal_tries;   /* of the cgroup */
    bool listened;       /* to all sources: see sources_listen */
    bool over;           /* its verdict is given; the host still has its cgroup and a zombie */
    int64_t cpu_time_us; /* evidence, read before the cgroup goes */
    int64_t times_us;    /* of pid 1 and all that it waited for, where no cgroup tells */
    int64_t memory_peak, pids_peak, oom_kills, memory_hits;
    struct denied *denied; /* what was refused and is reported; NULL: nothing so far */
    bool denied_begun;     /* it is known whether there is a listener */
    bool denied_listens;   /* SOURCE_DENIED is that */
    bool denied_unknown;   /* refused calls were to be reported, and some or all could not be */
    int oom_looks;         /* v1: looks still to be taken at a counter that lags behind its event */
    int64_t cpu_time_before_us; /* that was used before the code was let in */
    bool warm;                  /* python was there already */
    int64_t network; /* src/warm's: which of those made ahead it has; −1: one of its own */
    struct warm_job *warm_job;            /* the job's copy, until a warm child has taken it */
    const char *missing[MISSING_MAX + 1]; /* constant strings, NULL-terminated */
};

struct filter {
    char *profile;
    bool writable; /* for policies that are: locks are allowed as the profile says */
    bool report;   /* see filter_load */
    struct sock_fprog program;
    struct seccomp_profile *names; /* of a reporting one, when something was reported, or NULL */
    bool names_read;
    struct filter *next;
};

/* What src/warm does for the core, which knows no more of it than this. */
struct warm_operations {
    /* Starts an admitted job in a child that is or will be ready. 1: it will run, or wait for one;
     * 0: start it cold. */
    int (*start)(struct sb_sandbox *sandbox, struct sb_run *run, const struct sb_job *job,
                 bool best_effort);
    /* An event of a source of kind SOURCE_WARM or SOURCE_CHANNEL. */
    void (*ready)(struct sb_sandbox *sandbox, struct source *source);
    /* A job that waits is to be ended. False: it does not wait. */
    bool (*cancel)(struct sb_run *run);
    /* A warm child died before it took its job: true when another will. */
    bool (*again)(struct sb_run *run);
    /* Nothing is left of a warm job but its verdict. */
    void (*ended)(struct sb_run *run);
    /* Its cgroup is about to go: true when it is taken over instead. */
    bool (*keep)(struct sb_run *run);
    /* A job is over that no warm child has taken. */
    void (*forget)(struct sb_run *run);
    /* sandbox->untended is set: runs_tend is to be called soon. */
    void (*plan)(struct sb_sandbox *sandbox);
    /* After each turn. */
    void (*turned)(struct sb_sandbox *sandbox);
    void (*close)(struct sb_sandbox *sandbox);
};

struct sb_sandbox {
    LIST_ENTRY(sb_sandbox) link; /* of those that are open */
    int epoll;
    struct rootfs rootfs;
    struct cgroup_host cgroup;
    bool turning;        /* in sb_turn: a callback may not call it again */
    bool cleared;        /* what dead owners left in it */
    struct sb_uids uids; /* the space is the caller's */
    bool best_effort;
    int64_t millicpus; /* that all jobs together may use */
    struct own_times own;
    struct floor floor;
    struct source floor_timer;
    struct filter *filters; /* programs by profile, loaded when first needed */
    int64_t denied_next_us; /* denied.c: the answers that are given at once */
    size_t denied_seldom;   /* jobs whose refused calls have to wait */
    LIST_HEAD(run_list, sb_run) runs;
    size_t running;
    struct run_list over;                          /* warm ones that have their verdict */
    bool untended;                                 /* there may be something for runs_tend to do */
    char *buffer;                                  /* for reading from pipes */
    const struct warm_operations *warm_operations; /* NULL: all starts are cold */
    struct warm *warm;
};

#define READ_SIZE (64 * 1024)

/* sandbox.c */

/* A run without a job. NULL: no memory. */
struct sb_run *run_new(struct sb_sandbox *sandbox);
/* Takes a job in: checks everything that can be wrong with it. */
int run_admit(struct sb_run *run, const struct sb_job *job, bool best_effort, struct sb_error *err);
/* Starts a fresh python for an admitted job. */
int run_start_cold(struct sb_run *run, const struct sb_job *job, bool best_effort,
                   struct sb_error *err);
/* The filter of a policy's jobs, as filter_load gives it; it stays the sandbox's. NULL: *err says
 * why. */
const struct sock_fprog *filter_of(struct sb_sandbox *sandbox, const struct sb_policy *policy,
                                   bool report, struct sb_error *err);
/* One with `report` that has been loaded, and the names for reports. */
const struct filter *filter_reporting(struct sb_sandbox *sandbox, const struct sb_policy *policy);
bool is_best_effort(const struct sb_sandbox *sandbox, const struct sb_policy *policy);

/* launch.c: fills in run->pid and the sources' descriptors. On errors nothing is left running. */
int launch(struct sb_run *run, struct inside *in, struct sb_error *err);

/* Its parts, for a child that someone else clones. */
int launch_prepare(struct sb_run *run, struct inside *in, struct sb_error *err);
void launch_close(struct inside *in);
/* The host's ids of the job. */
void launch_ids(const struct sb_run *run, uint32_t *uid, uint32_t *gid);
/* Limits and ids are set: lets the child go on. Before launch_close. */
int launch_go(struct sb_run *run, struct sb_error *err);
/* Runs `start`, which clones a child with uids_clone_flags and maps its ids, where that is allowed
 * (uids_act), without supplementary groups and with all signals blocked. Returns what it does: a
 * pid, or −1 with errno. */
pid_t launch_clone(const struct sb_uids *uids, int (*start)(void *user), void *user,
                   struct sb_error *err);

/* Raises what the caller's resource limits are below what a job or a zygote is to have, before the
 * child goes on. −1: they can't be, and the child has what can be had. */
int launch_lift_rlimits(pid_t pid, const struct inside *in, struct sb_error *err);

/* Kills the child of a start that failed half-way and waits until it is gone. */
void launch_abandon(struct sb_run *run);

/* sources.c */

/* Asks for events of a source; 0 takes it out of the epoll. Returns −1 with errno. */
int source_watch(struct sb_run *run, enum source_kind kind, uint32_t events);
void source_close(struct sb_run *run, enum source_kind kind);
/* Begins to listen to what a run has to tell, if that has not been done. −1 with errno. */
int sources_listen(struct sb_run *run);
/* Receives a message and the descriptor that comes with it: *fd, −1 when there is none, FD_DROPPED
 * when it was not to be taken, which costs less. As recvmsg(2). */
#define FD_DROPPED (-2)
ssize_t message_receive(int socket, void *message, size_t size, bool take, int *fd);
/* Reads once from one of the script's three pipes; closes it at its end. False when there is
 * nothing more to get now. */
bool source_read(struct sb_run *run, enum source_kind kind);
/* The same for stderr, behind what has been written to stdout before, unless that is paused: on a
 * terminal a traceback comes after what was printed. */
void source_read_stderr(struct sb_run *run);
/* Decides what stdin waits for next: room in the script's pipe, or more from what feeds it. */
void stdin_next(struct sb_run *run);
void stdin_on_feed(struct sb_run *run);
void stdin_on_pipe(struct sb_run *run, uint32_t events);

/* timer.c */
/* Makes the timer, if there is none. −1 with errno. */
int timer_make(struct sb_run *run);
void timer_arm(struct sb_run *run, int64_t in_us);
/* The job's clock runs, since run->started_us. */
void timer_begin(struct sb_run *run);
/* The code has been let in: until then it was we who took the time. */
void timer_let_in(struct sb_run *run, int64_t at_us);
/* Looks at the clocks, ends the job when one has run out, and arms the timer for the next look. */
void timer_check(struct sb_run *run);

/* supervise.c */
/* Takes what pid 1 has reported by now. */
void run_hear(struct sb_run *run);
/* Watches a run that has been launched; its clocks run from here. */
int run_watch(struct sb_run *run, struct sb_error *err);
/* What is not enforced, for the verdict: a constant string. */
void run_lacks(struct sb_run *run, const char *what);
/* A verdict for a warm run that has no process, soon. */
void run_end_unstarted(struct sb_run *run);
void run_kill(struct sb_run *run, enum cause cause);
/* Ends a job because the sandbox itself failed: `reason` is what the verdict says. */
void run_fail(struct sb_run *run, const char *reason);
void run_free(struct sb_run *run);
/* Lets go of the namespaces that are held. */
void run_release(struct sb_run *run);
/* What can wait: begins to listen to warm runs that take longer than most, ends those that never
 * started, takes away what is left of those that have their verdict. Leaves sandbox->untended as
 * long as there are such. */
void runs_tend(struct sb_sandbox *sandbox);
void clear_stale_once(struct sb_sandbox *sandbox);

/* verdict.c: judges by the evidence and calls on_done. */
void verdict_give(struct sb_run *run);

#endif

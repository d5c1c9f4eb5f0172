/* A sandbox that is open (sb_open): what its jobs have in common. */
#ifndef SB_CONTEXT_H
#define SB_CONTEXT_H

#include <sys/queue.h>

#include "cgroup/cgroup.h"
#include "core/floor.h"
#include "core/process.h"
#include "core/rootfs.h"
#include "core/schedstat.h"
#include "core/uids.h"
#include "sandbox.h"

struct filter;
struct sb_run;

/* What src/warm does for the core, which knows no more of it than this. */
struct warm_operations {
    /* Starts an admitted job in a child that is or will be ready. 1: it will run, or wait for one;
     * 0: start it cold. */
    int (*start)(struct sb_sandbox *sandbox, struct sb_run *run, const struct sb_job *job,
                 bool best_effort);
    /* An event of a source of kind SOURCE_WARM or SOURCE_CHANNEL. */
    void (*ready)(struct sb_sandbox *sandbox, struct source *source);
    /* A job that waits for a child is not to get one. */
    void (*cancel)(struct sb_run *run);
    /* A warm child died before it took its job: true when another will. */
    bool (*again)(struct sb_run *run);
    /* Nothing is left of a warm job but its verdict: what it has of a zygote's goes back. */
    void (*release)(struct sb_run *run);
    /* Its cgroup is about to go: true when it is taken over instead. */
    bool (*keep)(struct sb_run *run);
    /* Frees the copy of a job that no warm child has taken. */
    void (*free_job)(struct sb_run *run);
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
    struct source floor_source;
    struct filter *filters; /* filters.h */
    int64_t denied_next_us; /* denied.c: the answers that are given at once */
    size_t denied_seldom;   /* jobs whose refused calls have to wait */
    LIST_HEAD(run_list, sb_run) runs;
    size_t running;
    struct run_list judged;                        /* warm ones that have their verdict */
    bool untended;                                 /* there may be something for runs_tend to do */
    char *buffer;                                  /* of READ_SIZE, for reading from pipes */
    const struct warm_operations *warm_operations; /* NULL: all starts are cold */
    struct warm *warm;
};

#define READ_SIZE (64 * 1024)

#endif

/* An open sandbox (sb_open): what its jobs have in common. */
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

/* The functions of src/warm that the core calls. The core knows nothing else of warm starts. */
struct warm_operations {
    /* Starts an admitted job in a warm child. 1: a child has the job, or the job waits for one; 0:
     * start it cold. */
    int (*start)(struct sb_sandbox *sandbox, struct sb_run *run, const struct sb_job *job,
                 unsigned may_lack);
    /* An event of a source of kind SOURCE_WARM or SOURCE_CHANNEL. */
    void (*ready)(struct sb_sandbox *sandbox, struct source *source);
    /* Takes a job out of the queue for children. */
    void (*cancel)(struct sb_run *run);
    /* A warm child died before it took its job. True: the job has been started again. */
    bool (*again)(struct sb_run *run);
    /* All of a warm job is dead: gives its network namespace back to its zygote. */
    void (*release)(struct sb_run *run);
    /* The job's cgroup is about to be removed. True: src/warm has taken it over. */
    bool (*keep)(struct sb_run *run);
    /* Frees the copy of a job that no warm child has taken. */
    void (*free_job)(struct sb_run *run);
    /* sandbox->untended is set: plans a call of runs_tend soon. */
    void (*plan)(struct sb_sandbox *sandbox);
    /* Called after each turn. */
    void (*turned)(struct sb_sandbox *sandbox);
    void (*close)(struct sb_sandbox *sandbox);
};

struct sb_sandbox {
    LIST_ENTRY(sb_sandbox) link; /* in the list of open sandboxes */
    int epoll;
    struct rootfs rootfs;
    struct cgroup_host cgroup;
    bool turning;        /* in sb_turn: a callback may not call it again */
    bool cleared;        /* cgroups of dead owners have been removed */
    struct sb_uids uids; /* its user namespace (`space`) belongs to the caller */
    unsigned may_lack;   /* of enum sb_missing: what jobs may do without */
    bool in_container;   /* container_has_name() */
    int64_t millicpus;   /* CPUs that all jobs together may use, in thousandths */
    struct own_times own;
    struct floor floor;
    struct source floor_source;
    struct filter *filters; /* filters.h */
    int64_t denied_next_us; /* denied.c: limits how many answers are given at once */
    size_t denied_seldom;   /* denied.c: jobs whose refused calls have to wait */
    LIST_HEAD(run_list, sb_run) runs;
    size_t running;
    struct run_list judged;                        /* warm runs that have their verdict */
    bool untended;                                 /* runs_tend may have something to do */
    char *buffer;                                  /* of READ_SIZE, for reading from pipes */
    const struct warm_operations *warm_operations; /* NULL: all starts are cold */
    struct warm *warm;
};

#define READ_SIZE (64 * 1024)

#endif

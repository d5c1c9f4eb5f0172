/* The warm children of one policy: its zygotes, its parked children, children that are being
 * cloned, and jobs that wait for one. */
#ifndef WARM_POOL_H
#define WARM_POOL_H

#include "core/run.h"
#include "warm/warm_job.h"
#include "warm/zygote_process.h"

/* A child that has no job yet. */
struct child {
    struct process process;
    int channel;         /* our end of the channel */
    int control;         /* the child's end of the control pipe, until the child goes on */
    struct source death; /* its pidfd, watched while it is parked */
    int64_t born_us;
    TAILQ_ENTRY(child) link;
};

struct children {
    TAILQ_HEAD(child_list, child) list;
    size_t count;
};

struct zygote {
    struct zygote_process process; /* pid 0: not running */
    struct source source;          /* its socket */
    struct source death;           /* its pidfd, since a child may hold the socket open */
    bool ready;
    size_t children;    /* cloned so far */
    int64_t started_us; /* differs for each zygote */
    uint32_t networks;  /* its network namespaces: the bit of each that a child uses is set */
    int64_t ready_us;
    struct children spawning; /* children asked for; it answers in this order */
};

#define CGROUPS_MAX 16

struct pool {
    struct sb_sandbox *sandbox;
    const struct sb_policy *policy;
    struct zygote zygotes[2];
    int serving; /* the index of the zygote that clones children; the other one is starting, to take
                    its place, or is replaced and still owes some children */
    struct children parked, dead;
    struct cgroup_job cgroups[CGROUPS_MAX]; /* cgroups of dead jobs, for the next children */
    size_t cgroups_count;
    TAILQ_HEAD(waiting, warm_job) waiting; /* jobs that have no child yet */
    size_t waiting_count;
    size_t failures;   /* failures of the zygote, in a row */
    int64_t retry_us;  /* no zygote is started before this time */
    int64_t refill_us; /* before this time, a child is only asked for when a job comes */
    int64_t arrived_us;
    double interval_us; /* time between jobs, smoothed */
    char reason[512];   /* why there is no zygote */
    char broken[512];   /* the module that it could not import, and why */
    struct pool *next;
};

/* Makes a pool without children. */
void pool_init(struct pool *pool, struct sb_sandbox *sandbox, const struct sb_policy *policy);

/* Asks the serving zygote for a child. −1: *err says why. */
int pool_spawn(struct pool *pool, struct sb_error *err);
/* How many children have been asked for and have not arrived. */
size_t pool_spawning(const struct pool *pool);
/* A zygote has answered. The child gets the job that waits longest, or is parked. −1: there is no
 * child after all. */
int pool_arrived(struct pool *pool, struct zygote *zygote, pid_t pid, int errnum);
/* Takes the oldest parked child; NULL: none. The caller gives it a job, or kills it. */
struct child *pool_take_parked(struct pool *pool);
/* Kills all children that a zygote owes. */
void pool_kill_spawning(struct pool *pool, struct zygote *zygote);
/* Gives a child the run's job. The run then owns the child's process. */
void pool_hand_over(struct pool *pool, struct child *child, struct sb_run *run);
/* Kills a child, however far it has come. Its memory stays until pool_free_dead, since events of
 * this turn may name it. */
void pool_kill(struct pool *pool, struct child *child);
/* Frees children that gave their process to a run, or are dead with an empty cgroup. */
void pool_free_dead(struct pool *pool);
/* A parked child's pidfd became readable. True: the child was one of this pool, and is killed.
 * *report: its last report, all zero if there was none. */
bool pool_died(struct pool *pool, const struct source *source, struct report *report);

/* Gives a process's network namespace back to its zygote, when nothing of the process is left. */
void pool_release_network(struct pool *pool, struct process *process);

/* Takes over the cgroup of a dead run for the next child, if it can be renewed: to make and remove
 * a cgroup takes the kernel a millisecond. */
bool pool_keep_cgroup(struct pool *pool, struct sb_run *run);
void pool_release_cgroups(struct pool *pool);

/* The queue of jobs that have no child yet: first come, first served. */
void pool_wait(struct pool *pool, struct sb_run *run);
struct sb_run *pool_next_waiting(struct pool *pool);
/* Starts the jobs cold for which no child is coming. */
void pool_start_rest_cold(struct pool *pool);
/* Takes a job out of the queue. */
void pool_cancel(struct pool *pool, struct sb_run *run);

#endif

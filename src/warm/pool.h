/* The warm children of one policy: its zygote, and children on the way, parked, or waited for. */
#ifndef WARM_POOL_H
#define WARM_POOL_H

#include "core/run.h"
#include "warm/warm_job.h"
#include "warm/zygote_process.h"

/* A child before it has a job. */
struct child {
    struct process process;
    int channel;         /* our end */
    int control;         /* the child's end, until the child is let go */
    struct source death; /* of its pidfd, watched while it is parked */
    int64_t born_us;
    TAILQ_ENTRY(child) link;
};

struct children {
    TAILQ_HEAD(child_list, child) list;
    size_t count;
};

struct zygote {
    struct zygote_process process; /* pid 0: none */
    struct source source;          /* of its socket */
    struct source death;           /* of its pidfd: a child may hold the socket open */
    bool ready;
    size_t children;    /* cloned so far */
    int64_t started_us; /* no other has the same */
    uint32_t networks;  /* of those that it keeps: a bit for each that a child has */
    int64_t ready_us;
    struct children spawning; /* asked for, in the order of its answers */
};

#define CGROUPS_MAX 16

struct pool {
    struct sb_sandbox *sandbox;
    const struct sb_policy *policy;
    struct zygote zygotes[2];
    int serving; /* the one that clones children; the other starts, to take its place, or has been
                    replaced and still owes some */
    struct children parked, dead;
    struct cgroup_job cgroups[CGROUPS_MAX]; /* of jobs that are over, for the next children */
    size_t cgroups_count;
    TAILQ_HEAD(waiting, warm_job) waiting; /* jobs that have no child yet */
    size_t waiting_count;
    size_t failures;   /* of the zygote, in a row */
    int64_t retry_us;  /* not started before */
    int64_t refill_us; /* no child is asked for before, but for a job that comes */
    int64_t arrived_us;
    double interval_us; /* between jobs, smoothed */
    char reason[512];   /* why the zygote is not there */
    char broken[512];   /* of that, what it could not import */
    struct pool *next;
};

/* A pool without children. */
void pool_init(struct pool *pool, struct sb_sandbox *sandbox, const struct sb_policy *policy);

/* Asks the zygote that serves for a child. */
int pool_spawn(struct pool *pool, struct sb_error *err);
/* How many children have been asked for. */
size_t pool_spawning(const struct pool *pool);
/* A zygote has answered: the child goes to the job that waits longest, or is parked. −1: there is
 * none after all. */
int pool_arrived(struct pool *pool, struct zygote *zygote, pid_t pid, int errnum);
/* The oldest; NULL: none. The caller gives it a job, or kills it. */
struct child *pool_take_parked(struct pool *pool);
/* Kills all children that a zygote owes. */
void pool_kill_spawning(struct pool *pool, struct zygote *zygote);
/* Gives a child the run's job, and makes the run its owner. */
void pool_hand_over(struct pool *pool, struct child *child, struct sb_run *run);
/* Kills what there is of a child. Its memory stays until pool_free_dead, since events of this turn
 * may name it. */
void pool_kill(struct pool *pool, struct child *child);
/* Frees children that have passed on what they had, or are dead and whose cgroups are empty. */
void pool_free_dead(struct pool *pool);
/* The pidfd of a parked child: true when it was one of this pool. *report: what it said last, all
 * zero when nothing. */
bool pool_died(struct pool *pool, const struct source *source, struct report *report);

/* Gives back the network namespace that a process has of a zygote's, when nothing is left of it. */
void pool_release_network(struct pool *pool, struct process *process);

/* Takes over the cgroup of a run that is over, when the next child's may be that one: to make and
 * to remove one takes the kernel a millisecond. */
bool pool_keep_cgroup(struct pool *pool, struct sb_run *run);
void pool_release_cgroups(struct pool *pool);

/* Jobs that have no child yet, first come, first served. */
void pool_wait(struct pool *pool, struct sb_run *run);
struct sb_run *pool_next_waiting(struct pool *pool);
/* Starts those cold for which no child is coming. */
void pool_start_rest_cold(struct pool *pool);
/* Takes one out. */
void pool_cancel(struct pool *pool, struct sb_run *run);

#endif

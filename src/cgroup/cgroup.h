/* Control groups: what holds a job to its memory, CPU and pids, what kills it as a whole, and the
 * evidence of what it used.
 *
 * Two back ends stand behind this interface, each a table: v2, and v1 for hosts whose controllers
 * are still there (hybrid hierarchy). A job has one directory "job-<slot>" in each hierarchy of its
 * back end. The first hierarchy's is created first and removed last; a flock(2) on it says that its
 * owner lives, whatever pid namespace that is in: the kernel lets go of it when the owner dies, and
 * the next start clears what is then left. The slot is the job's alone below its parent directory
 * and makes its host uid, too. */
#ifndef SB_CGROUP_H
#define SB_CGROUP_H

#include <sys/types.h>

#include "sandbox.h"

#define CGROUP_HIERARCHIES 4
/* A job's directory in each of them, by its slot. */
#define CGROUP_JOB_PREFIX "job-"
#define CGROUP_JOB CGROUP_JOB_PREFIX "%" PRIu32

enum cgroup_controller { CGROUP_MEMORY = 1, CGROUP_CPU = 2, CGROUP_PIDS = 4 };

/* Of a job: pid 1 and its script. */
#define FEWEST_PIDS 2

enum cgroup_number {
    CGROUP_CPU_TIME_US,
    CGROUP_SYSTEM_TIME_US, /* of that, in the kernel */
    CGROUP_MEMORY_NOW,
    CGROUP_MEMORY_PEAK,
    CGROUP_PIDS_NOW,
    CGROUP_PIDS_PEAK,
    CGROUP_OOM_KILLS,
    CGROUP_MEMORY_HITS, /* how often the job ran into memory_bytes */
    CGROUP_NUMBERS
};

struct cgroup_backend;

/* The back end that this host offers, opened. */
struct cgroup_host {
    const struct cgroup_backend *backend; /* NULL: none */
    enum sb_cgroup mode;
    int parent[CGROUP_HIERARCHIES]; /* directories in which jobs get theirs, −1 where there is none
                                     */
    unsigned controllers;           /* of enum cgroup_controller, usable */
    char place[256];                /* for people: where, and how it was found */
};

/* One job's directories. */
struct cgroup_job {
    uint32_t slot;
    uint32_t let_in; /* the uid that may put processes into it (cgroup_let_in); 0: ours alone */
    bool network;    /* loopback is up, so that its sockets can hold something */
    int dir[CGROUP_HIERARCHIES];
    int number[CGROUP_NUMBERS]; /* files of the evidence that is held open, else −1 */
    int oom_event; /* v1: eventfd that polls readable when memory ran out; −1 on v2, which needs
                      none */
};

/* Finds and opens a back end. With `wanted` other than SB_CGROUP_AUTO that one or an error.
 * Controllers that are missing are for the caller to judge. No back end at all is an error unless
 * `wanted` is SB_CGROUP_NONE or `best_effort`; then *err tells why there is none. */
int cgroup_open(struct cgroup_host *host, enum sb_cgroup wanted, bool best_effort,
                struct sb_error *err);
void cgroup_close(struct cgroup_host *host);

/* "v2", "v1", "none". */
const char *cgroup_name(const struct cgroup_host *host);

/* No back end, nothing open. */
void cgroup_host_init(struct cgroup_host *host);

/* Kills and removes the jobs of owners that are dead; never touches a living one's. */
void cgroup_clear_stale(const struct cgroup_host *host);

/* Takes a free slot below `slots`: makes the directory in the first hierarchy, the one to clone
 * into. */
int cgroup_create(const struct cgroup_host *host, struct cgroup_job *job, uint32_t slots,
                  struct sb_error *err);

/* Makes those in the other hierarchies. */
int cgroup_make_directories(const struct cgroup_host *host, struct cgroup_job *job,
                            struct sb_error *err);

/* What the child needs to join those hierarchies that it cannot be cloned into: descriptors of
 * their parent directories, owned by the host, −1 where there is nothing to join. */
struct cgroup_entry {
    uint32_t slot;
    int join[CGROUP_HIERARCHIES];
};
struct cgroup_entry cgroup_entry(const struct cgroup_host *host, const struct cgroup_job *job);

/* Lets a process of this uid put its children into a job's cgroup: by clone3, where the directory's
 * descriptor comes to it, and where they join by themselves. −1 with errno. */
int cgroup_let_in(const struct cgroup_host *host, struct cgroup_job *job, uint32_t uid);

/* What that takes once: cloning from one job's cgroup into another's is allowed to whoever may move
 * processes into the one above both (cgroup_attach_permissions in kernel/cgroup/cgroup.c). That is
 * everybody then, and nobody but us has a way to any file there. −1 with errno. */
int cgroup_let_clone(const struct cgroup_host *host);

/* Makes the other directories and writes the limits. To be called before the job's code is let in;
 * it may run while the child, already cloned, does its own steps. */
int cgroup_limit(const struct cgroup_host *host, struct cgroup_job *job,
                 const struct sb_limits *limits, struct sb_error *err);

/* Writes the limits that differ from those of `before`, which cgroup_limit wrote. */
int cgroup_change_limits(const struct cgroup_host *host, const struct cgroup_job *job,
                         const struct sb_limits *limits, const struct sb_limits *before,
                         struct sb_error *err);

/* Kills all processes in it at once. */
void cgroup_kill(const struct cgroup_host *host, const struct cgroup_job *job);

/* A number of evidence, −1 when this host does not tell it. */
int64_t cgroup_number(const struct cgroup_host *host, const struct cgroup_job *job,
                      enum cgroup_number number);

/* Makes a dead job's cgroup what it was before the job, for another with the same limits. False: it
 * can't be made so. The job's time stays counted, and what the kernel keeps charged of memory that
 * is nobody's: less than it charges in advance for each CPU. */
bool cgroup_renew(const struct cgroup_host *host, const struct cgroup_job *job,
                  const struct sb_limits *limits);

/* Removes the directories and frees the slot. −1 with EBUSY: not empty yet, call again. */
int cgroup_remove(const struct cgroup_host *host, struct cgroup_job *job);

/* Closes what is still open of a job, the lock of its slot with it. */
void cgroup_job_close(struct cgroup_job *job);

/* A job without directories, for cleanup on every path. */
void cgroup_job_init(struct cgroup_job *job);

#endif

/* Control groups hold a job to its limits of memory, CPU and pids, kill all of it at once, and tell
 * what it used.
 *
 * There are two back ends, each a table: v2, and v1 for hosts whose controllers are still there
 * (hybrid hierarchy). A job has one directory "job-<slot>" in each hierarchy of its back end. The
 * directory in the first hierarchy is created first and removed last. Its owner holds a flock(2) on
 * it. The kernel releases the lock when the owner dies, whatever pid namespace the owner is in, and
 * the next start removes what is left. No other job below the same parent directory has the same
 * slot, and the job's host uid is made from it. */
#ifndef SB_CGROUP_H
#define SB_CGROUP_H

#include <sys/types.h>

#include "sandbox.h"

#define CGROUP_HIERARCHIES 4
/* The name of a job's directory, made from its slot. */
#define CGROUP_JOB_PREFIX "job-"
#define CGROUP_JOB CGROUP_JOB_PREFIX "%" PRIu32

enum cgroup_controller { CGROUP_MEMORY = 1, CGROUP_CPU = 2, CGROUP_PIDS = 4 };

/* The processes of the smallest job: pid 1 and the script. */
#define FEWEST_PIDS 2

enum cgroup_number {
    CGROUP_CPU_TIME_US,
    CGROUP_SYSTEM_TIME_US, /* the part of it spent in the kernel */
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
    int parent[CGROUP_HIERARCHIES]; /* the directories that jobs' directories are made in, −1: no
                                       such hierarchy */
    unsigned controllers;           /* usable controllers, of enum cgroup_controller */
    char place[256];                /* where the cgroups are, for messages */
};

/* One job's directories. */
struct cgroup_job {
    uint32_t slot;
    uint32_t let_in; /* the uid that may put processes into it (cgroup_let_in); 0: only our own */
    bool network;    /* loopback is up, so its sockets can hold data */
    int dir[CGROUP_HIERARCHIES];
    int number[CGROUP_NUMBERS]; /* open files of evidence (cgroup_evidence.held), else −1 */
    int oom_event; /* v1: an eventfd, readable when memory ran out; v2 needs none: −1 */
};

/* Finds and opens a back end: the one that `wanted` names, or, with SB_CGROUP_AUTO, the first that
 * works. Missing controllers are not an error here: the caller decides. Without any back end it
 * fails, unless `wanted` is SB_CGROUP_NONE or jobs may do without all that a cgroup enforces
 * (`may_lack`, of enum sb_missing); *err then tells why there is none. */
int cgroup_open(struct cgroup_host *host, enum sb_cgroup wanted, unsigned may_lack,
                struct sb_error *err);
void cgroup_close(struct cgroup_host *host);

/* "v2", "v1", "none". */
const char *cgroup_name(const struct cgroup_host *host);

/* A host without a back end, with nothing open. */
void cgroup_host_init(struct cgroup_host *host);

/* Kills and removes the jobs of dead owners; never touches a job whose owner lives. */
void cgroup_clear_stale(const struct cgroup_host *host);

/* Takes a free slot below `slots`, and makes its directory in the first hierarchy, into which the
 * child is cloned. */
int cgroup_create(const struct cgroup_host *host, struct cgroup_job *job, uint32_t slots,
                  struct sb_error *err);

/* Makes the job's directories in the other hierarchies. */
int cgroup_make_directories(const struct cgroup_host *host, struct cgroup_job *job,
                            struct sb_error *err);

/* The hierarchies that a child cannot be cloned into and so joins itself: descriptors of their
 * parent directories, owned by the host; −1: nothing to join. */
struct cgroup_entry {
    uint32_t slot;
    int join[CGROUP_HIERARCHIES];
};
struct cgroup_entry cgroup_entry(const struct cgroup_host *host, const struct cgroup_job *job);

/* Lets processes of this uid put their children into a job's cgroup: by clone3, if they have the
 * directory's descriptor, and in the other hierarchies by joining. −1 with errno. */
int cgroup_let_in(const struct cgroup_host *host, struct cgroup_job *job, uint32_t uid);

/* Called once, before cgroup_let_in can work. To clone from one job's cgroup into another's, a
 * process must be allowed to move processes into the cgroup above both (cgroup_attach_permissions
 * in kernel/cgroup/cgroup.c). This allows it to everybody, while nobody except us can reach a file
 * there. −1 with errno. */
int cgroup_let_clone(const struct cgroup_host *host);

/* Makes the other directories and writes the limits. To be called before the job's code is let in;
 * the child may be cloned already and take its own steps meanwhile. */
int cgroup_limit(const struct cgroup_host *host, struct cgroup_job *job,
                 const struct sb_limits *limits, struct sb_error *err);

/* Writes the limits that differ from `before`, the limits that cgroup_limit wrote. */
int cgroup_change_limits(const struct cgroup_host *host, const struct cgroup_job *job,
                         const struct sb_limits *limits, const struct sb_limits *before,
                         struct sb_error *err);

/* Kills all processes in the job's cgroup at once. */
void cgroup_kill(const struct cgroup_host *host, const struct cgroup_job *job);

/* A number of evidence; −1: this host does not tell it. */
int64_t cgroup_number(const struct cgroup_host *host, const struct cgroup_job *job,
                      enum cgroup_number number);

/* Resets a dead job's cgroup, for another job with the same limits. False: it cannot be reset. CPU
 * time stays counted, and so does memory that the kernel charged in advance: less than its advance
 * for each CPU. */
bool cgroup_renew(const struct cgroup_host *host, const struct cgroup_job *job,
                  const struct sb_limits *limits);

/* Removes the directories and frees the slot. −1 with EBUSY: processes are still in there, call
 * again. */
int cgroup_remove(const struct cgroup_host *host, struct cgroup_job *job);

/* Closes all descriptors of a job, and so releases the lock on its slot. */
void cgroup_job_close(struct cgroup_job *job);

/* A job without directories, so that any path can clean it up. */
void cgroup_job_init(struct cgroup_job *job);

#endif

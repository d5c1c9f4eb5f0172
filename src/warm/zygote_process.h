/* Starts and stops a zygote: a python3 in the root file system, in namespaces of its own. */
#ifndef WARM_ZYGOTE_PROCESS_H
#define WARM_ZYGOTE_PROCESS_H

#include "core/run.h"

struct zygote_process {
    pid_t pid;      /* 0: none */
    int pidfd;      /* −1: none */
    int socket;     /* SOCK_SEQPACKET, non-blocking: protocol.h */
    int errors;     /* the pipe from its stderr */
    int helpers[2]; /* pidfds of its own children, found when it is killed: they die with it */
    size_t helpers_count;     /* how many */
    uint32_t uid;             /* its own uid on the host; 0: it has the supervisor's */
    struct cgroup_job cgroup; /* the cgroup whose slot makes this uid */
    const struct cgroup_host *host;
};

/* Starts a zygote for a policy's jobs; it says on its socket when it is ready. After an error it is
 * stopped. */
int zygote_start(struct zygote_process *process, struct sb_sandbox *sandbox,
                 const struct sb_policy *policy, struct sb_error *err);

/* Lets the zygote clone into a job's cgroup. −1 with errno. */
int zygote_let_in(const struct zygote_process *process, struct cgroup_job *job);

/* Kills the zygote and waits until it is gone. Children that have a job or wait for one live on. */
void zygote_kill(struct zygote_process *process);
/* The same, and then waits for the children that it learned from, and until nothing else has its
 * socket. Children that it was cloning have it: they must be dead or about to end. */
void zygote_stop(struct zygote_process *process);

#endif

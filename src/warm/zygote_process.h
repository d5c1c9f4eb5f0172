/* Starting a zygote: a python3 in the root file system, in namespaces of its own. */
#ifndef WARM_ZYGOTE_PROCESS_H
#define WARM_ZYGOTE_PROCESS_H

#include "core/run.h"

struct zygote_process {
    pid_t pid;                /* 0: none */
    int pidfd;                /* −1: none */
    int socket;               /* SOCK_SEQPACKET, non-blocking: protocol.h */
    int errors;               /* what it wrote to stderr */
    int helpers[2];           /* pidfds of its own children, once it is killed: they die with it */
    size_t helpers_count;     /* of them */
    uint32_t uid;             /* its own on the host; 0: it has the supervisor's */
    struct cgroup_job cgroup; /* whose slot that uid is */
    const struct cgroup_host *host;
};

/* Starts one for the jobs of a policy; it tells on its socket when it is ready. */
int zygote_start(struct zygote_process *process, struct sb_sandbox *sandbox,
                 const struct sb_policy *policy, struct sb_error *err);

/* Lets it clone into the cgroup of a job. −1 with errno. */
int zygote_let_in(const struct zygote_process *process, struct cgroup_job *job);

/* Kills it and waits until it is gone. Children that have a job or wait for one live on. */
void zygote_kill(struct zygote_process *process);
/* The same, and waits for the children that it learned from, and for what else has its socket:
 * those that it was cloning, which must be dead or about to end by then. */
void zygote_stop(struct zygote_process *process);

#endif

/* A copy of a job, as the message that a warm child reads. It is kept until the child has the job,
 * so that another child or a cold start can take its place. */
#ifndef WARM_WARM_JOB_H
#define WARM_WARM_JOB_H

#include "core/run.h"

struct warm_job {
    char *message; /* from malloc, or a mapping of `file` */
    size_t size;
    int file; /* a memfd, when the message is larger than a channel takes; else −1 */
    unsigned may_lack;
    const char *name, *module, *call; /* these and all below point into the message; */
    char **args, **env;               /* the arrays are owned here */
    const char *code;
    size_t code_size;
    struct sb_file *files; /* files other than the script */
    size_t files_count;
    struct sb_run *run;         /* the run that it belongs to */
    TAILQ_ENTRY(warm_job) link; /* while it waits for a child */
};

/* Copies a job. NULL: it cannot start warm, because its environment has variables that python reads
 * when it starts, or memory is short. */
struct warm_job *warm_job_copy(struct sb_run *run, const struct sb_job *job, unsigned may_lack);
void warm_job_free(struct warm_job *job);

/* Sends it to a child. False: the child is dead, or no descriptor can be sent now. */
bool warm_job_send(const struct warm_job *job, int channel);

/* Starts the job of a run in a fresh python, when no child will take it. */
void warm_job_start_cold(struct sb_run *run);

#endif

/* A copy of a job, in the form in which a warm child takes it. Kept until the child has it, so that
 * another child, or a cold start, can take its place. */
#ifndef WARM_WARM_JOB_H
#define WARM_WARM_JOB_H

#include "core/run.h"

struct warm_job {
    char *message;
    size_t size;
    bool best_effort;
    const char *name, *module, *call; /* in the message, as all that follows; */
    char **args, **env;               /* the arrays are our own */
    const char *code;
    size_t code_size;
    struct sb_file *files; /* without the script */
    size_t files_count;
    struct sb_run *run;         /* whose it is */
    TAILQ_ENTRY(warm_job) link; /* while it waits for a child */
};

/* NULL when it cannot start warm: too large, or with an environment that python reads at its start.
 */
struct warm_job *warm_job_copy(struct sb_run *run, const struct sb_job *job, bool best_effort);
void warm_job_free(struct warm_job *job);

/* No child will take it: starts it in a fresh python, in the run that has it already. */
void warm_job_start_cold(struct sb_run *run);

#endif

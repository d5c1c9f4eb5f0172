/* A job as it was asked for, checked and made ready for the child. */
#ifndef SB_JOB_H
#define SB_JOB_H

#include "inside.h"
#include "rootfs.h"

/* Vectors and names that the child needs; owned here, pointing into the caller's job otherwise. */
struct prepared {
    char **argv;
    char **envp;
    struct sb_file *files;
    char source[512]; /* /work/NAME, or CODE_FD's number */
};

/* Checks the job: names the field at fault and what is allowed. */
int job_check(const struct sb_job *job, const struct sb_limits *limits, struct sb_error *err);

/* Fills in what the job says of `in`. The caller frees `prepared` with job_release. */
int job_prepare(struct inside *in, struct prepared *prepared, const struct sb_job *job,
                const struct rootfs *rootfs, struct sb_error *err);
void job_release(struct prepared *prepared);

#endif

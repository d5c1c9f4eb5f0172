/* A job as it was asked for, checked and made ready for the child. */
#ifndef SB_JOB_H
#define SB_JOB_H

#include "core/rootfs.h"
#include "inside/inside.h"

/* Of a job's argv: python, the runner, and what stands before the script's own arguments
 * (runner.py). */
#define JOB_ARGV_FIXED 6

/* The longest string that the kernel takes in argv or envp, without its NUL (MAX_ARG_STRLEN,
 * execve(2)). */
#define JOB_STRING_MAX (128 * 1024 - 1)

/* Vectors and names that the child needs; owned here, pointing into the caller's job otherwise. */
struct prepared {
    char **argv;
    char **envp;
    struct sb_file *files;
    char **copies; /* of sources that had to be changed */
    size_t copies_count;
    char *paths;      /* of the files */
    char source[512]; /* /work/NAME, or CODE_FD's number */
};

/* Checks the job: names the field at fault and what is allowed. */
int job_check(const struct sb_job *job, const struct sb_limits *limits, struct sb_error *err);
/* Of that, the module to run and the function to call (job_call.c). */
int job_check_call(const struct sb_job *job, struct sb_error *err);

/* And the files (job_files.c). `script` is the one that the code becomes, NULL: none. */
int job_check_files(const struct sb_job *job, const struct sb_file *script,
                    const struct sb_limits *limits, struct sb_error *err);
/* How large a file becomes in /work. `source`: whatever its name is, it is Python's. */
size_t job_file_size(const struct sb_file *file, bool source);
/* Room for the paths of all files, each with its NUL. */
size_t job_paths_size(const struct sb_job *job);

/* Fills in what the job says of `in`. The caller frees `prepared` with job_release. */
int job_prepare(struct inside *in, struct prepared *prepared, const struct sb_job *job,
                const struct rootfs *rootfs, struct sb_error *err);
void job_release(struct prepared *prepared);

#endif

/* Checks a job as its caller gave it, and prepares it for the child. */
#ifndef SB_JOB_H
#define SB_JOB_H

#include "core/rootfs.h"
#include "inside/inside.h"

/* The entries of a job's argv before the script's own arguments: python, the runner, and the
 * runner's arguments (runner.py). */
#define JOB_ARGV_FIXED 6

/* The text before the function to call that makes the code a notebook cell: at most "%png live\n"
 * (runner.py). */
#define JOB_CELL_SIZE 10

/* The longest string that the kernel takes in argv or envp, without its NUL (MAX_ARG_STRLEN,
 * execve(2)). */
#define JOB_STRING_MAX (128 * 1024 - 1)

/* What the child needs. The arrays, copies and paths are owned here; the rest points into the
 * caller's job. */
struct prepared {
    char **argv;
    char **envp;
    struct sb_file *files;
    char **copies; /* sources that had to be changed */
    size_t copies_count;
    char *paths;      /* paths of the files */
    char *cell;       /* what runner.py is told of a notebook cell; NULL: it is not one */
    char source[512]; /* /work/NAME, or CODE_FD's number */
};

/* Checks a job: an error names the field and what is allowed. */
int job_check(const struct sb_job *job, const struct sb_limits *limits, struct sb_error *err);
/* The part of job_check for the module to run and the function to call (job_call.c). */
int job_check_call(const struct sb_job *job, struct sb_error *err);

/* The part of job_check for the files (job_files.c). `script`: the file that the code becomes,
 * NULL: none. */
int job_check_files(const struct sb_job *job, const struct sb_file *script,
                    const struct sb_limits *limits, struct sb_error *err);
/* The size that a file will have in /work. `source`: it is Python source, whatever its name is. */
size_t job_file_size(const struct sb_file *file, bool source);
/* The bytes that the paths of all files take, each with its NUL. */
size_t job_paths_size(const struct sb_job *job);

/* Fills in the fields of `in` that come from the job. The caller frees `prepared` with
 * job_release. */
int job_prepare(struct inside *in, struct prepared *prepared, const struct sb_job *job,
                const struct rootfs *rootfs, struct sb_error *err);
void job_release(struct prepared *prepared);

#endif

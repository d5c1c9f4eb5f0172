/* The files that a job leaves behind, for a job that asks for them (sb_job.collect).
 *
 * They are in a tmpfs of the job's own mount namespace, which would end with the job: we hold it
 * (process.h) until the files have been read. Names, sizes and contents are the script's: nothing
 * that it can make up costs more than the limits here, or leads out of the two directories.
 *
 * A job that collects nothing has no struct collect, and none of this costs it anything. */
#ifndef SB_COLLECT_H
#define SB_COLLECT_H

#include <stddef.h>
#include <stdint.h>

#include "sandbox.h"

struct sb_run;

/* A file that the job was given: it comes back only if it has changed. */
struct given {
    char *path;
    size_t size;
    uint64_t hash;
};

/* How many files that are left out are named; all others are counted. */
#define COLLECT_LEFT_OUT_MAX 100
/* Behind them: how many more there are, and why the search ended early. */
#define COLLECT_NOTES_MAX 2

struct collect {
    char **globs; /* in one spelling, NULL-terminated */
    uint64_t key[2];
    struct given *given; /* sorted by path */
    size_t given_count;
    struct sb_collected *files;
    size_t files_count, files_room;
    struct sb_left_out left_out[COLLECT_LEFT_OUT_MAX + COLLECT_NOTES_MAX];
    size_t left_out_count;
    char note[COLLECT_NOTES_MAX][128];
};

/* Checks job->collect. */
int collect_check(const struct sb_job *job, struct sb_error *err);

/* Prepares for a checked job, if it collects anything. */
int collect_begin(struct collect **collect, const struct sb_job *job, struct sb_error *err);

/* Notes the files that the job is given, as they will be written. A second call replaces what the
 * first has noted. */
int collect_note(struct collect *collect, const struct sb_file *files, size_t count,
                 struct sb_error *err);

/* Reads the files of a run that is dead, before its namespaces are released. Fails never: what
 * cannot be read is left out, with the reason. */
void collect_files(struct sb_run *run);

/* Adds a sentence about the search as a whole to collect->left_out. */
void collect_remark(struct collect *collect, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Puts the files into the verdict, which points to them. `collect` may be NULL. */
void collect_tell(const struct collect *collect, struct sb_verdict *verdict);

/* NULL is allowed. */
void collect_free(struct collect *collect);

#endif

/* The cases of a graded run: one program, run once for each, with what differs from case to case.
 * Read from JSON text that anyone may have written; every error names the field. For the service
 * and the command line. */
#ifndef SB_CASES_H
#define SB_CASES_H

#include <json-c/json.h>
#include <stdbool.h>
#include <stddef.h>

#include "common/grade.h"
#include "sandbox.h"

#define CASES_MAX 1000
/* Bounds what is checked again for cases with files of their own. Each such case counts one for
 * each of its files, the shared ones included, and one for each KiB of code. */
#define CASES_EFFORT_MAX 100000

/* One case. Texts are in json-c's objects. NULL: as the job itself has it. */
struct graded_case {
    const char *name; /* for people; NULL: none */
    const char *stdin_data;
    size_t stdin_size;
    const char **args;
    const char *call;
    char **env;            /* on top of the job's */
    struct sb_file *files; /* beside the job's, or in place of one with the same path */
    size_t files_count;
    bool grades_output, grades_value; /* what is expected: neither, one or both */
    struct grade_output output;       /* the tolerance also holds for the value */
    const char *value;                /* JSON text */
};

struct cases {
    struct graded_case *cases;
    size_t count; /* 0: the run is not graded */
    bool stop_at_failure;
};

/* Reads the array "cases". The caller frees them with cases_free, even after a failure. */
int cases_read(struct cases *cases, const char *path, struct json_object *array,
               struct sb_error *err);

/* Reads "stop": "never" or "first-failure". */
int cases_read_stop(struct cases *cases, const char *path, struct json_object *value,
                    struct sb_error *err);

void cases_free(struct cases *cases);

/* A case's job, made of the job that all share. */
struct case_job {
    struct sb_job job;
    struct sb_file *files; /* the arrays that it points to, if they are its own */
    const char **env;
};

/* The caller frees it with case_job_free; it points to the texts of both. −1: out of memory. */
int case_job_make(struct case_job *made, const struct sb_job *shared,
                  const struct graded_case *one);
void case_job_free(struct case_job *made);

/* Checks each case's job with `check` (sb_check), as if it were about to run. Expects that the
 * shared job has been checked. Errors name the field, "cases[17].args". */
int cases_check(const struct cases *cases, const struct sb_job *shared,
                int (*check)(const struct sb_job *job, struct sb_error *err), struct sb_error *err);

enum case_grade { CASE_INCORRECT, CASE_CORRECT, CASE_UNGRADED };

/* How a case has ended. Only a program that ran to its end and lost none of its output can be
 * correct. Ungraded: nothing was expected, or the sandbox itself failed. */
enum case_grade case_judge(const struct graded_case *one, const struct sb_verdict *verdict);

/* Whether a case that ended so has failed, for stop_at_failure. */
bool case_failed(enum case_grade grade, const struct sb_verdict *verdict);

#endif

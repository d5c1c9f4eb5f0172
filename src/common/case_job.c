/* A case as a job, and the judgement on it. See cases.h. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/cases.h"
#include "common/error.h"
#include "common/path.h"
#include "common/util.h"

/* ── Files ──────────────────────────────────────────────────────────────────────────────────── */

static int by_text(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static void free_paths(char **paths, size_t count)
{
    for (size_t i = 0; i < count; i++)
        free(paths[i]);
    free(paths);
}

/* In one spelling; a path that has none, and will be refused, as it is. NULL: out of memory. */
static char *normal_path(const char *path)
{
    size_t size = strlen(path) + 1;
    char *normal = malloc(size);
    if (normal != NULL && path_normalise(normal, path) != PATH_FINE)
        memcpy(normal, path, size);
    return normal;
}

/* The paths of a case's own files, sorted. NULL: out of memory. */
static char **own_paths(const struct graded_case *one)
{
    char **paths = calloc(one->files_count + 1, sizeof(*paths));
    bool failed = paths == NULL;
    for (size_t i = 0; i < one->files_count && !failed; i++)
        failed = (paths[i] = normal_path(one->files[i].path)) == NULL;
    if (failed) {
        if (paths != NULL)
            free_paths(paths, one->files_count);
        return NULL;
    }
    qsort(paths, one->files_count, sizeof(*paths), by_text);
    return paths;
}

/* The shared files that the case does not replace, and then its own. */
static int merge_files(struct case_job *made, const struct sb_job *shared,
                       const struct graded_case *one)
{
    size_t count = 0;
    char **own = own_paths(one);
    bool failed = own == NULL;
    made->files = calloc(shared->files_count + one->files_count + 1, sizeof(*made->files));
    failed |= made->files == NULL;
    for (size_t i = 0; i < shared->files_count && !failed; i++) {
        _cleanup_free_ char *path = normal_path(shared->files[i].path);
        failed = path == NULL;
        if (!failed && bsearch(&path, own, one->files_count, sizeof(*own), by_text) == NULL)
            made->files[count++] = shared->files[i];
    }
    if (!failed)
        memcpy(made->files + count, one->files, one->files_count * sizeof(*one->files));
    if (own != NULL)
        free_paths(own, one->files_count);
    made->job.files = made->files;
    made->job.files_count = count + one->files_count;
    return failed ? -1 : 0;
}

/* ── The job ────────────────────────────────────────────────────────────────────────────────── */

/* Of two variables with one name the library takes the last. */
static int merge_env(struct case_job *made, const struct sb_job *shared,
                     const struct graded_case *one)
{
    size_t before = strings_count(shared->env);
    size_t own = strings_count((const char *const *)one->env);
    made->env = calloc(before + own + 1, sizeof(*made->env));
    if (made->env == NULL)
        return -1;
    for (size_t i = 0; i < before; i++)
        made->env[i] = shared->env[i];
    for (size_t i = 0; i < own; i++)
        made->env[before + i] = one->env[i];
    made->job.env = made->env;
    return 0;
}

int case_job_make(struct case_job *made, const struct sb_job *shared, const struct graded_case *one)
{
    *made = (struct case_job){.job = *shared};
    if (one->stdin_data != NULL) {
        made->job.stdin_data = one->stdin_data;
        made->job.stdin_size = one->stdin_size;
    }
    if (one->args != NULL)
        made->job.args = one->args;
    if (one->call != NULL)
        made->job.call = one->call;
    if ((one->env == NULL || merge_env(made, shared, one) == 0) &&
        (one->files_count == 0 || merge_files(made, shared, one) == 0))
        return 0;
    case_job_free(made);
    return -1;
}

void case_job_free(struct case_job *made)
{
    free(made->files);
    free(made->env);
    *made = (struct case_job){0};
}

/* ── Checks ─────────────────────────────────────────────────────────────────────────────────── */

static int check_case(const struct cases *cases, size_t i, const struct sb_job *shared,
                      int (*check)(const struct sb_job *job, struct sb_error *err),
                      struct sb_error *err)
{
    struct case_job made;
    if (case_job_make(&made, shared, &cases->cases[i]) < 0)
        return sb_fail(err, "memory", ENOMEM, "out of memory (the cases)");
    if (made.files == NULL) /* code and files have been checked, and may be large */
        made.job.code_size = made.job.files_count = 0;
    int result = check(&made.job, err);
    case_job_free(&made);
    if (result == 0)
        return 0;
    struct sb_error found = *err;
    snprintf(err->field, sizeof(err->field), "cases[%zu].%.40s", i, found.field);
    snprintf(err->message, sizeof(err->message), "\"cases[%zu]\": %.400s", i, found.message);
    return -1;
}

int cases_check(const struct cases *cases, const struct sb_job *shared,
                int (*check)(const struct sb_job *job, struct sb_error *err), struct sb_error *err)
{
    size_t effort = 0;
    for (size_t i = 0; i < cases->count; i++) {
        if (cases->cases[i].files_count > 0)
            effort += cases->cases[i].files_count + shared->files_count + shared->code_size / 1024;
        if (effort > CASES_EFFORT_MAX)
            return sb_fail_field(err, "request", "cases",
                                 "too many cases have files of their own beside so many shared "
                                 "files, or so much code: give fewer of these, or fewer cases at "
                                 "once");
        if (check_case(cases, i, shared, check, err) < 0)
            return -1;
    }
    return 0;
}

/* ── The judgement ──────────────────────────────────────────────────────────────────────────── */

static bool value_is_right(const struct graded_case *one, const struct sb_verdict *verdict)
{
    return verdict->result != NULL && grade_value(one->value, strlen(one->value), verdict->result,
                                                  strlen(verdict->result), one->output.tolerance);
}

enum case_grade case_judge(const struct graded_case *one, const struct sb_verdict *verdict)
{
    if ((!one->grades_output && !one->grades_value) || verdict->word == SB_INTERNAL)
        return CASE_UNGRADED;
    bool correct = verdict->word == SB_OK;
    if (one->grades_output && correct)
        correct = verdict->dropped_bytes[SB_STDOUT] <= 0 &&
                  grade_output(&one->output, verdict->text[SB_STDOUT],
                               verdict->text_size[SB_STDOUT], NULL);
    if (one->grades_value && correct)
        correct = value_is_right(one, verdict);
    return correct ? CASE_CORRECT : CASE_INCORRECT;
}

bool case_failed(enum case_grade grade, const struct sb_verdict *verdict)
{
    return grade == CASE_INCORRECT || (grade == CASE_UNGRADED && verdict->word != SB_OK);
}

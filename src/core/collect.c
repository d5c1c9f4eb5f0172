/* See collect.h. The search itself is in collect_walk.c. */
#include "core/collect.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "common/error.h"
#include "common/keyed_hash.h"
#include "common/path.h"
#include "common/utf8.h"
#include "common/util.h"
#include "core/collect_walk.h"
#include "core/run.h"

/* With the bound on a path, and on steps in collect_walk.c, this bounds the time of a search. */
#define GLOBS_MAX 100

static const char tmp[] = "/tmp/";

/* ── What is asked for ─────────────────────────────────────────────────────────────────────── */

/* Writes a pattern in its one spelling, for which `normal` has room. NULL: it is fine; else what is
 * wrong with it. */
static const char *normalise(char *normal, const char *glob)
{
    size_t skipped = strncmp(glob, tmp, sizeof(tmp) - 1) == 0 ? sizeof(tmp) - 1 : 0;
    memcpy(normal, glob, skipped);
    switch (path_normalise(normal + skipped, glob + skipped)) {
    case PATH_FINE:
        return utf8_count(glob, strlen(glob)) >= 0 ? NULL : "is not UTF-8: no such file comes back";
    case PATH_EMPTY:
        return skipped > 0 ? "names a directory: add **" : "is empty: give a pattern such as *.png";
    case PATH_ABSOLUTE:
        return "is absolute: give a pattern for names below the working directory, or below /tmp/";
    case PATH_OUTSIDE:
        return "leads out of the directory: give a pattern for names below it";
    case PATH_DIRECTORY:
        return "names a directory: add ** for all files below it";
    case PATH_TOO_LONG:
        return "is too long: a pattern may have 1024 bytes, and each name in it 255";
    }
    return "is not a pattern";
}

int collect_check(const struct sb_job *job, struct sb_error *err)
{
    size_t count = strings_count(job->collect);
    if (count > GLOBS_MAX)
        return sb_fail_field(
            err, "job", "collect",
            "collect has too many patterns, %zu; at most %d are allowed: give fewer", count,
            GLOBS_MAX);
    for (size_t i = 0; i < count; i++) {
        _cleanup_free_ char *normal = malloc(strlen(job->collect[i]) + 1);
        char shown[PATH_SHOWN_BYTES];
        if (normal == NULL)
            return sb_fail(err, "job", ENOMEM, "out of memory (collect)");
        const char *wrong = normalise(normal, job->collect[i]);
        path_show(shown, job->collect[i]);
        if (wrong != NULL)
            return sb_fail_field(err, "job", "collect", "the pattern '%s' in collect %s", shown,
                                 wrong);
    }
    return 0;
}

static int no_memory(struct sb_error *err)
{
    return sb_fail(err, "job", ENOMEM, "out of memory (the job's files)");
}

int collect_begin(struct collect **out, const struct sb_job *job, struct sb_error *err)
{
    size_t count = strings_count(job->collect);
    if (count == 0)
        return 0;
    struct collect *collect = *out = calloc(1, sizeof(*collect));
    if (collect == NULL || (collect->globs = calloc(count + 1, sizeof(char *))) == NULL)
        return no_memory(err);
    for (size_t i = 0; i < count; i++) {
        collect->globs[i] = malloc(strlen(job->collect[i]) + 1);
        if (collect->globs[i] == NULL)
            return no_memory(err);
        normalise(collect->globs[i], job->collect[i]); /* collect_check has accepted it */
    }
    while (getrandom(collect->key, sizeof(collect->key), 0) < 0)
        if (errno != EINTR)
            return sb_fail(err, "job", errno, "cannot get random numbers: %m");
    return 0;
}

/* ── What the job is given ─────────────────────────────────────────────────────────────────── */

static void free_given(struct collect *collect)
{
    for (size_t i = 0; i < collect->given_count; i++)
        free(collect->given[i].path);
    free_memory(&collect->given);
    collect->given_count = 0;
}

static int by_path(const void *left, const void *right)
{
    return strcmp(((const struct given *)left)->path, ((const struct given *)right)->path);
}

int collect_note(struct collect *collect, const struct sb_file *files, size_t count,
                 struct sb_error *err)
{
    if (collect == NULL || count == 0)
        return 0;
    free_given(collect);
    collect->given = calloc(count, sizeof(*collect->given));
    if (collect->given == NULL)
        return no_memory(err);
    for (size_t i = 0; i < count; i++) {
        struct given *given = &collect->given[i];
        struct keyed_hash hash;
        keyed_hash_begin(&hash, collect->key);
        keyed_hash_add(&hash, files[i].data, files[i].size);
        given->size = files[i].size;
        given->hash = keyed_hash_end(&hash);
        given->path = strdup(files[i].path);
        collect->given_count += given->path != NULL;
        if (given->path == NULL)
            return no_memory(err);
    }
    qsort(collect->given, count, sizeof(*collect->given), by_path);
    return 0;
}

/* ── The end ───────────────────────────────────────────────────────────────────────────────── */

void collect_remark(struct collect *collect, const char *format, ...)
{
    size_t i = 0;
    while (i < COLLECT_NOTES_MAX && collect->note[i][0] != '\0')
        i++;
    if (i == COLLECT_NOTES_MAX)
        return;
    va_list args;
    va_start(args, format);
    vsnprintf(collect->note[i], sizeof(collect->note[i]), format, args);
    va_end(args);
    collect->left_out[collect->left_out_count++] = (struct sb_left_out){"", collect->note[i]};
}

void collect_files(struct sb_run *run)
{
    struct collect *collect = run->collect;
    if (collect == NULL || run->process.pid == 0 || run->evidence.end == SCRIPT_FAILED)
        return;
    if (run->asked.policy->writable)
        collect_walk(collect, &run->asked.limits, run->process.held[HELD_MOUNTS]);
    else
        collect_remark(
            collect, "policy \"%.32s\" lets scripts write no files: use another, such as \"data\"",
            run->asked.policy->name);
}

void collect_tell(const struct collect *collect, struct sb_verdict *verdict)
{
    if (collect == NULL)
        return;
    verdict->files = collect->files;
    verdict->files_count = collect->files_count;
    verdict->left_out = collect->left_out;
    verdict->left_out_count = collect->left_out_count;
}

void collect_free(struct collect *collect)
{
    if (collect == NULL)
        return;
    free_given(collect);
    for (size_t i = 0; i < collect->files_count; i++) {
        free((void *)collect->files[i].path);
        free((void *)collect->files[i].data);
    }
    free(collect->files);
    for (size_t i = 0; i < MIN(collect->left_out_count, (size_t)COLLECT_LEFT_OUT_MAX); i++) {
        if (collect->left_out[i].path[0] == '\0')
            continue; /* a note, which is part of *collect */
        free((void *)collect->left_out[i].path);
        free((void *)collect->left_out[i].why);
    }
    for (size_t i = 0; collect->globs != NULL && collect->globs[i] != NULL; i++)
        free(collect->globs[i]);
    free(collect->globs);
    free(collect);
}

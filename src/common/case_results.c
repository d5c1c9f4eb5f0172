/* See case_results.h. */
#include "common/case_results.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/json_writer.h"
#include "common/util.h"

int case_results_open(struct case_results *results, size_t count)
{
    *results = (struct case_results){.results = calloc(count, sizeof(*results->results)),
                                     .order = calloc(count, sizeof(*results->order))};
    results->count = results->results != NULL ? count : 0;
    return results->results != NULL && results->order != NULL ? 0 : -1;
}

void case_results_free(struct case_results *results)
{
    for (size_t i = 0; i < results->count; i++)
        free(results->results[i].json);
    free(results->results);
    free(results->order);
    *results = (struct case_results){0};
}

/* ── One case ───────────────────────────────────────────────────────────────────────────────── */

static size_t length(const char *text)
{
    return text != NULL ? strlen(text) : 0;
}

/* The verdict without what the script has a say in. */
static struct sb_verdict without_text(const struct sb_verdict *verdict)
{
    static const struct sb_left_out all = {
        "", "the answers of all cases together have become too large"};
    struct sb_verdict stripped = *verdict;
    stripped.result = NULL;
    stripped.files = NULL;
    stripped.files_count = 0;
    stripped.left_out = &all;
    stripped.left_out_count = 1;
    return stripped;
}

/* Puts members behind those of an object, which is freed. NULL: out of memory. */
static char *extend(char *object, struct json_writer *members)
{
    size_t size = length(object);
    _cleanup_free_ char *added = json_end(members);
    size_t rest = added != NULL ? strlen(added + 1) + 1 : 0; /* with its NUL */
    char *whole = object != NULL && added != NULL ? malloc(size + rest) : NULL;
    if (whole != NULL) { /* "{…" and ",…}" in place of "{…}" */
        memcpy(whole, object, size - 1);
        whole[size - 1] = ',';
        memcpy(whole + size, added + 1, rest);
    }
    free(object);
    return whole;
}

static const char *const grades[] = {
    [CASE_INCORRECT] = "false", [CASE_CORRECT] = "true", [CASE_UNGRADED] = "null"};

/* Takes over the native answer. */
static int keep(struct case_results *results, size_t index, char *native,
                const struct graded_case *one, bool left_out)
{
    struct case_result *result = &results->results[index];
    struct json_writer writer;
    result->native_size = native != NULL ? strlen(native) - 1 : 0;
    json_begin(&writer, 128);
    json_bracket(&writer, '{');
    json_key(&writer, "correct");
    json_verbatim(&writer, grades[result->grade]);
    if (one->name != NULL)
        json_member(&writer, "name", one->name);
    if (left_out) {
        json_key(&writer, "output_left_out");
        json_boolean(&writer, true);
    }
    json_bracket(&writer, '}');
    result->json = extend(native, &writer);
    results->order[results->ended++] = index;
    return result->json != NULL ? 0 : -1;
}

static bool is_worse(const struct case_result *one, size_t index, const struct case_result *other,
                     size_t other_index)
{
    bool incorrect = one->grade == CASE_INCORRECT, others = other->grade == CASE_INCORRECT;
    if (one->word != other->word)
        return one->word > other->word;
    return incorrect != others ? incorrect : index < other_index;
}

int case_results_put(struct case_results *results, size_t index, const struct graded_case *one,
                     const struct sb_verdict *verdict, enum case_grade grade, unsigned flags,
                     char *(*to_json)(const struct sb_verdict *verdict, unsigned flags))
{
    struct case_result *result = &results->results[index];
    char *native = to_json(verdict, flags);
    size_t bytes = length(native);
    bool fits = bytes <= CASES_JSON_BYTES - results->json_bytes;
    bool left_out = !fits || (flags & SB_JSON_NO_OUTPUT) != 0;
    const struct sb_verdict stripped = without_text(verdict);
    if (!fits) {
        free(native);
        native = to_json(&stripped, flags | SB_JSON_NO_OUTPUT);
    }
    result->grade = grade;
    result->ran = true;
    result->word = verdict->word;
    results->passed += grade == CASE_CORRECT;
    results->json_bytes += fits ? bytes : 0;
    if (!results->any_ran ||
        is_worse(result, index, &results->results[results->worst], results->worst)) {
        results->any_ran = true;
        results->worst = index;
        results->host_busy = verdict->host_busy;
    }
    return keep(results, index, native, one, left_out);
}

static void put_nulls(struct json_writer *writer, const char *const *keys, size_t count)
{
    for (size_t i = 0; i < count; i++)
        json_member(writer, keys[i], NULL);
}

/* The native form, with null for what is not known. */
int case_results_leave_out(struct case_results *results, size_t index,
                           const struct graded_case *one, const char *id, const char *why)
{
    static const char *const outputs[] = {"stdout", "stderr"};
    static const char *const ends[] = {"exit_code", "signal", "result"};
    static const char *const usage[] = {"wall_time_ms", "cpu_time_ms", "memory_peak_bytes",
                                        "pids_peak"};
    struct json_writer writer;
    json_begin(&writer, 512);
    json_bracket(&writer, '{');
    json_member(&writer, "status", "error");
    json_member(&writer, "output", NULL);
    json_member(&writer, "error", why);
    json_member(&writer, "verdict", NULL);
    put_nulls(&writer, outputs, ARRAY_LEN(outputs));
    json_key(&writer, "truncated");
    json_verbatim(&writer, "{\"stdout\":0,\"stderr\":0}");
    put_nulls(&writer, ends, ARRAY_LEN(ends));
    json_key(&writer, "display");
    json_verbatim(&writer, "[]");
    json_key(&writer, "displays_left_out");
    json_integer(&writer, 0);
    json_key(&writer, "usage");
    json_bracket(&writer, '{');
    put_nulls(&writer, usage, ARRAY_LEN(usage));
    json_bracket(&writer, '}');
    json_member(&writer, "enforcement", NULL);
    json_key(&writer, "files");
    json_verbatim(&writer, "{}");
    json_key(&writer, "files_left_out");
    json_verbatim(&writer, "[]");
    json_member(&writer, "id", id);
    json_bracket(&writer, '}');
    results->results[index].grade = CASE_UNGRADED;
    return keep(results, index, json_end(&writer), one, false);
}

char *case_results_event(const struct case_results *results, size_t index)
{
    char *text;
    const char *json = results->results[index].json;
    int size = json != NULL ? asprintf(&text, "{\"index\":%zu,%s", index, json + 1) : -1;
    return size < 0 ? NULL : text;
}

/* ── The whole ──────────────────────────────────────────────────────────────────────────────── */

static char *append(char *at, const char *text, size_t size)
{
    memcpy(at, text, size);
    return at + size;
}

char *case_results_json(struct case_results *results)
{
    const struct case_result *worst = &results->results[results->worst];
    size_t size = worst->native_size + 64;
    bool complete = true;
    for (size_t i = 0; i < results->count; i++) {
        complete &= results->results[i].json != NULL;
        size += length(results->results[i].json) + 1;
    }
    char *whole = complete ? malloc(size) : NULL, *at = whole;
    if (whole != NULL) {
        at = append(at, worst->json, worst->native_size);
        at = append(at, ",\"cases\":", strlen(",\"cases\":"));
        for (size_t i = 0; i < results->count; i++) {
            *at++ = i == 0 ? '[' : ',';
            at = append(at, results->results[i].json, strlen(results->results[i].json));
            free_memory(&results->results[i].json);
        }
        sprintf(at, "],\"passed\":%zu}", results->passed);
    }
    return whole;
}

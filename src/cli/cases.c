/* See cases.h. */
#include "cli/cases.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "cli/case_rows.h"
#include "cli/input.h"
#include "cli/message.h"
#include "cli/status.h"
#include "common/json_text.h"
#include "common/util.h"

/* As a service's bodies: see VALUES_MAX of request.c. */
enum { FILE_BYTES_MAX = 64 << 20, FILE_VALUES_MAX = 50000, FILE_DEPTH_MAX = 16 };

/* ── The file ───────────────────────────────────────────────────────────────────────────────── */

static int read_file(char **text, const char *path, struct sb_error *err)
{
    struct bytes bytes = {0};
    _cleanup_close_ int fd = open(path, O_RDONLY | O_NOCTTY | O_CLOEXEC);
    if (fd < 0 || read_whole(fd, FILE_BYTES_MAX, &bytes) < 0) {
        fail(err, "cases", "can't read --cases %s: %s; name a file of at most %d MiB", path,
             strerror(errno), FILE_BYTES_MAX >> 20);
        free(bytes.data);
        return -1;
    }
    const char *data = bytes.size > 0 ? bytes.data : "";
    size_t space = strspn(data, " \t\r\n");
    /* A list alone stands for the object with it. */
    bool list = space < bytes.size && data[space] == '[';
    int size = asprintf(text, "%s%.*s%s", list ? "{\"cases\":" : "", (int)bytes.size, data,
                        list ? "}" : "");
    bool has_nul = memchr(data, '\0', bytes.size) != NULL;
    free(bytes.data);
    if (size < 0) {
        *text = NULL;
        return fail(err, "cases", "out of memory (--cases)");
    }
    return has_nul ? fail(err, "cases", "--cases %s has a NUL byte: it must be JSON", path) : 0;
}

/* The file's name stands before what is wrong in it. */
static int in_file(const char *path, struct sb_error *err)
{
    struct sb_error found = *err;
    return fail(err, "cases", "--cases %.100s: %.380s", path, found.message);
}

static int read_members(struct case_run *run, struct sb_error *err)
{
    struct json_object *list = NULL;
    json_object_object_foreach(run->file, name, value)
    {
        (void)value;
        if (strcmp(name, "cases") != 0 && strcmp(name, "stop") != 0)
            return fail(err, "cases", "unknown key \"%.40s\": use \"cases\" and \"stop\"", name);
    }
    if (!json_object_object_get_ex(run->file, "cases", &list))
        return fail(err, "cases", "it has no \"cases\": give a list of cases");
    if (cases_read(&run->cases, "cases", list, err) < 0)
        return -1;
    struct json_object *stop = NULL;
    json_object_object_get_ex(run->file, "stop", &stop);
    return stop == NULL ? 0 : cases_read_stop(&run->cases, "stop", stop, err);
}

static int read_cases(struct case_run *run, struct sb_error *err)
{
    static const struct json_bounds bounds = {.size = FILE_BYTES_MAX + 32,
                                              .depth = FILE_DEPTH_MAX,
                                              .values = FILE_VALUES_MAX,
                                              .name_field = true};
    const char *path = run->presenter->options->cases;
    if (read_file(&run->text, path, err) < 0 || run->text == NULL)
        return -1;
    run->file = json_text_parse(run->text, strlen(run->text), &bounds, "the file", "cases", err);
    return run->file == NULL || read_members(run, err) < 0 ? in_file(path, err) : 0;
}

int cases_open(struct case_run *run, struct presenter *presenter, struct sb_error *err)
{
    const struct options *options = presenter->options;
    *run = (struct case_run){.presenter = presenter, .junit = -1};
    if (read_cases(run, err) < 0)
        return -1;
    size_t count = run->cases.count;
    run->rows = calloc(count, sizeof(*run->rows));
    run->xml = calloc(count, sizeof(*run->xml));
    if (run->rows == NULL || run->xml == NULL || case_results_open(&run->results, count) < 0)
        return fail(err, "cases", "out of memory (--cases)");
    if (options->junit != NULL)
        run->junit = presenter_open_file("junit", options->junit, err);
    return options->junit != NULL && run->junit < 0 ? -1 : 0;
}

void cases_close(struct case_run *run)
{
    for (size_t i = 0; i < run->cases.count; i++) {
        if (run->rows != NULL)
            free(run->rows[i]);
        if (run->xml != NULL)
            free(run->xml[i]);
    }
    free(run->rows);
    free(run->xml);
    case_results_free(&run->results);
    cases_free(&run->cases);
    json_object_put(run->file);
    free(run->text);
    close_fd(&run->junit);
    *run = (struct case_run){.junit = -1};
}

/* ── What is shown ──────────────────────────────────────────────────────────────────────────── */

static void put(struct case_run *run, const char *text)
{
    relay_put(&run->presenter->streams[SB_STDOUT], text, strlen(text));
}

/* The rows in their order: each as soon as those before it are there. */
static void show_rows(struct case_run *run)
{
    while (!run->presenter->options->json && run->shown < run->cases.count &&
           run->rows[run->shown] != NULL) {
        if (run->shown == 0)
            put(run, case_row_head);
        put(run, run->rows[run->shown]);
        free_memory(&run->rows[run->shown++]);
    }
}

static void add_row(struct case_run *run, const struct case_row *row)
{
    run->rows[row->index] = case_row_text(row);
    if (run->junit >= 0)
        run->xml[row->index] = case_row_xml(row, run->presenter->options->script);
    show_rows(run);
}

void cases_ended(struct case_run *run, size_t index, const struct sb_verdict *verdict,
                 enum case_grade grade, unsigned flags)
{
    const struct graded_case *one = &run->cases.cases[index];
    run->failed += case_failed(grade, verdict);
    run->errors += verdict->word == SB_INTERNAL;
    run->time_us += verdict->wall_time_us > 0 ? verdict->wall_time_us : 0;
    /* Without memory for it, there is none for the whole either. */
    case_results_put(&run->results, index, one, verdict, grade, flags, sb_verdict_json);
    add_row(run, &(struct case_row){index, one, verdict, grade, NULL});
}

void cases_left_out(struct case_run *run, size_t index, const char *why)
{
    const struct graded_case *one = &run->cases.cases[index];
    run->left_out++;
    case_results_leave_out(&run->results, index, one, "", why);
    add_row(run, &(struct case_row){index, one, NULL, CASE_UNGRADED, why});
}

static void show_sum(struct case_run *run)
{
    char text[160];
    size_t count = run->cases.count, passed = run->results.passed;
    size_t ungraded = count - passed - run->failed - run->left_out;
    int size = snprintf(text, sizeof(text), "%zu of %zu correct", passed, count);
    if (run->failed > 0)
        size += snprintf(text + size, sizeof(text) - (size_t)size, ", %zu failed", run->failed);
    if (run->left_out > 0)
        size += snprintf(text + size, sizeof(text) - (size_t)size, ", %zu not run", run->left_out);
    if (ungraded > 0)
        size += snprintf(text + size, sizeof(text) - (size_t)size, ", %zu without expectation",
                         ungraded);
    snprintf(text + size, sizeof(text) - (size_t)size, "\n");
    put(run, text);
}

static void show_json(struct case_run *run)
{
    _cleanup_free_ char *json = case_results_json(&run->results);
    if (json == NULL) {
        presenter_say(run->presenter, "out of memory (cases): lower --output");
        run->presenter->status = STATUS_FAILED;
        return;
    }
    put(run, json);
    put(run, "\n");
}

static bool write_all(int fd, const char *text)
{
    size_t size = text != NULL ? strlen(text) : 0;
    ssize_t written = 1;
    for (; size > 0 && written > 0; size -= (size_t)written, text += written)
        written = write(fd, text, size);
    return text != NULL && size == 0;
}

static void write_junit(struct case_run *run)
{
    const struct options *options = run->presenter->options;
    const struct case_sums sums = {run->cases.count, run->failed - run->errors, run->errors,
                                   run->left_out, run->time_us};
    _cleanup_free_ char *head = case_rows_xml_head(options->script, &sums);
    bool written = write_all(run->junit, head);
    for (size_t i = 0; i < run->cases.count && written; i++)
        written = write_all(run->junit, run->xml[i]);
    if (written && write_all(run->junit, "</testsuite>\n"))
        return;
    presenter_say(run->presenter, "can't write --junit %s: %s", options->junit, strerror(errno));
    run->presenter->status = STATUS_FAILED;
}

void cases_finish(struct case_run *run)
{
    run->presenter->status = run->failed + run->left_out > 0;
    if (run->junit >= 0)
        write_junit(run);
    if (run->presenter->options->json)
        show_json(run);
    else
        show_sum(run);
}

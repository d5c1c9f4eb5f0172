/* See stored_job.h. */
#include "serve/jobs/stored_job.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "common/json_scan.h"
#include "common/json_valid.h"
#include "common/util.h"
#include "serve/jobs/stored_request.h"

static bool has_ended(const struct store_job *job)
{
    return job->state > STORE_RUNNING;
}

/* "2026-11-30T21:15:33.123Z" (RFC 3339); 0: null. */
static void put_time(struct json_writer *writer, const char *key, int64_t ms)
{
    char text[40];
    struct tm parts;
    time_t seconds = (time_t)(ms / 1000);
    json_key(writer, key);
    if (ms <= 0 || gmtime_r(&seconds, &parts) == NULL) {
        json_null(writer);
        return;
    }
    size_t size = strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S", &parts);
    size += (size_t)snprintf(text + size, sizeof(text) - size, ".%03dZ", (int)(ms % 1000));
    json_string(writer, text, size);
}

static void put_answer(struct json_writer *writer, const struct store_job *job)
{
    bool base64;
    const char *answer =
        job->answer != NULL ? stored_answer_read(job->answer, job->answer_size, &base64) : NULL;
    json_key(writer, "status");
    json_integer(writer, answer != NULL ? job->status : -1);
    json_key(writer, "answer");
    if (answer != NULL)
        json_verbatim(writer, answer);
    else
        json_null(writer);
}

void stored_job_write(struct json_writer *writer, const struct store_job *job, bool whole)
{
    json_bracket(writer, '{');
    json_member(writer, "id", job->id);
    json_member(writer, "state", store_state_names[job->state]);
    json_member(writer, "policy", job->policy);
    put_time(writer, "created", job->created_ms);
    put_time(writer, "started", job->started_ms);
    put_time(writer, "ended", job->ended_ms);
    json_key(writer, "tries");
    json_integer(writer, job->tries);
    json_member(writer, "reason", job->reason);
    if (whole) {
        json_key(writer, "position");
        json_integer(writer, job->state == STORE_QUEUED ? job->before + 1 : 0);
        put_answer(writer, job);
    }
    json_bracket(writer, '}');
}

/* ── Events ──────────────────────────────────────────────────────────────────────────────────── */

/* Sends what has been written, without which the stream would have a hole. */
static void send(const struct stream_form *form, struct exchange *exchange, const char *name,
                 struct json_writer *writer)
{
    size_t size = writer->size;
    _cleanup_free_ char *text = json_end(writer);
    if (text != NULL)
        stream_form_send(form, exchange, name, text, size);
}

void stored_job_send_start(const struct store_job *job, const struct stream_form *form,
                           struct exchange *exchange)
{
    struct json_writer writer;
    json_begin(&writer, 192);
    json_bracket(&writer, '{');
    json_member(&writer, "id", job->id);
    json_member(&writer, "policy", job->policy);
    json_key(&writer, "queued");
    json_integer(&writer, job->state == STORE_QUEUED ? job->before + 1 : 0);
    json_bracket(&writer, '}');
    send(form, exchange, "start", &writer);
}

/* Sends an object with one member: a value that stands in the answer. */
static void send_member(const struct stream_form *form, struct exchange *exchange, const char *name,
                        const char *key, const char *value, size_t size)
{
    struct json_writer writer;
    _cleanup_free_ char *copy = strndup(value, size);
    if (copy == NULL)
        return;
    json_begin(&writer, size + 32);
    json_bracket(&writer, '{');
    json_key(&writer, key);
    json_verbatim(&writer, copy);
    json_bracket(&writer, '}');
    send(form, exchange, name, &writer);
}

/* An object of the answer, on one line. NULL: it is none, or empty, or there is no memory. */
static char *object_text(const char *value, size_t size)
{
    struct json_writer writer;
    _cleanup_free_ char *copy = strndup(value, size);
    json_begin(&writer, size);
    if (copy != NULL && *copy == '{')
        json_verbatim(&writer, copy);
    bool empty = writer.size <= strlen("{}");
    char *text = json_end(&writer);
    if (empty)
        free_memory(&text);
    return text;
}

static void send_display(const struct stream_form *form, struct exchange *exchange,
                         const char *value, size_t size)
{
    _cleanup_free_ char *text = object_text(value, size);
    if (text != NULL)
        stream_form_send(form, exchange, "display", text, strlen(text));
}

static void send_case(const struct stream_form *form, struct exchange *exchange, size_t index,
                      const char *value, size_t size)
{
    char *event;
    _cleanup_free_ char *text = object_text(value, size);
    if (text == NULL || asprintf(&event, "{\"index\":%zu,%s", index, text + 1) < 0)
        return;
    stream_form_send(form, exchange, "case", event, strlen(event));
    free(event);
}

/* The value of a member of the answer, as it stands there; NULL: there is none. A parser would take
 * many times the memory of a hostile answer. */
static const char *member(const char *answer, const char *name, size_t *size)
{
    struct json_scan scan;
    json_scan_begin(&scan, answer, strlen(answer), JSON_ANSWER_DEPTH);
    if (json_scan_next(&scan) != JSON_OBJECT)
        return NULL;
    while (json_scan_next(&scan) == JSON_KEY) {
        size_t length = (size_t)(scan.at - scan.start) - 2; /* without its quotes */
        bool found = length == strlen(name) && memcmp(scan.start + 1, name, length) == 0;
        const char *value = json_scan_value(&scan, size);
        if (found || value == NULL)
            return value;
    }
    return NULL;
}

static void send_output(const struct stream_form *form, struct exchange *exchange,
                        const char *answer, const char *name, bool base64)
{
    size_t size;
    const char *text = member(answer, name, &size);
    if (text != NULL && *text == '"' && size > strlen("\"\""))
        send_member(form, exchange, name, base64 ? "base64" : "text", text, size);
}

static void send_displays(const struct stream_form *form, struct exchange *exchange,
                          const char *answer)
{
    size_t size;
    struct json_scan scan;
    const char *list = member(answer, "display", &size), *display;
    if (list == NULL)
        return;
    json_scan_begin(&scan, list, size, JSON_ANSWER_DEPTH);
    if (json_scan_next(&scan) != JSON_ARRAY)
        return;
    while ((display = json_scan_value(&scan, &size)) != NULL)
        send_display(form, exchange, display, size);
}

/* The events `case` of a graded run. False: it is none. */
static bool send_cases(const struct stream_form *form, struct exchange *exchange,
                       const char *answer)
{
    size_t size;
    struct json_scan scan;
    const char *list = member(answer, "cases", &size), *one;
    if (list == NULL)
        return false;
    json_scan_begin(&scan, list, size, JSON_ANSWER_DEPTH);
    if (json_scan_next(&scan) != JSON_ARRAY)
        return false;
    for (size_t i = 0; (one = json_scan_value(&scan, &size)) != NULL; i++)
        send_case(form, exchange, i, one, size);
    return true;
}

static void send_parts(const struct stream_form *form, struct exchange *exchange,
                       const char *answer, bool base64)
{
    if (send_cases(form, exchange, answer))
        return; /* its output is that of its worst case */
    send_output(form, exchange, answer, "stdout", base64);
    send_output(form, exchange, answer, "stderr", base64);
    send_displays(form, exchange, answer);
}

/* A verdict for a job that has none: it was lost, or cancelled. */
static char *verdict_without_answer(const struct store_job *job)
{
    const struct sb_verdict verdict =
        sb_verdict_unstarted(job->id, job->reason != NULL ? job->reason : "the job has no answer");
    return sb_verdict_json(&verdict, 0);
}

void stored_job_send_end(const struct store_job *job, const struct stream_form *form,
                         struct exchange *exchange, bool with_output)
{
    bool base64 = false;
    const char *answer =
        job->answer != NULL ? stored_answer_read(job->answer, job->answer_size, &base64) : NULL;
    if (!has_ended(job))
        return;
    if (answer != NULL) {
        if (with_output)
            send_parts(form, exchange, answer, base64);
        struct json_writer writer;
        json_begin(&writer, strlen(answer) + 1);
        json_verbatim(&writer, answer);
        send(form, exchange, "verdict", &writer);
        return;
    }
    _cleanup_free_ char *text = verdict_without_answer(job);
    if (text != NULL)
        stream_form_send(form, exchange, "verdict", text, strlen(text));
}

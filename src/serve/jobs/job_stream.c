/* See job_stream.h. A slow client makes its own job wait: the job's pipes are not read while too
 * much is kept for the client. That ends with the job's time, since a dead job must not keep its
 * place among those that run. What is left then is little: one pipe, and the last part of the
 * output. */
#include "serve/jobs/job_stream.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/json_writer.h"
#include "common/sentence.h"
#include "common/utf8.h"
#include "common/util.h"
#include "serve/jobs/graded.h"
#include "serve/jobs/service_job.h"
#include "serve/jobs/service_state.h"

enum { LOOK_MS = 1000, OVERDUE_US = 1000000 };

struct output {
    char *text; /* all of it, for the verdict */
    size_t size, room;
    size_t sent; /* the bytes behind are the beginning of a character */
};

struct job_stream {
    const struct stream_form *form; /* NULL: a record */
    void (*heard)(void *user, bool last);
    void *user;
    struct output displays; /* of a record: a line for each */
    bool begun;
    bool paused;
    bool failed;          /* out of memory: the job has been killed */
    int64_t position;     /* in the queue, as the client knows it; 0: the job runs */
    int64_t time_over_us; /* when the job's time is over; INT64_MAX: it waits */
    int64_t bytes;
    struct output output[SB_STREAMS];
};

const char *stream_type(const struct job_stream *stream)
{
    return stream->form != NULL ? stream_form_type(stream->form) : NULL;
}

int64_t stream_bytes(const struct job_stream *stream)
{
    return stream->form != NULL ? stream->bytes : -1;
}

bool stream_began(const struct job_stream *stream)
{
    return stream != NULL && stream->begun;
}

bool stream_has_begun(const struct service_job *job)
{
    return stream_began(job->stream);
}

struct job_stream *stream_make(const struct stream_form *form)
{
    struct job_stream *stream = calloc(1, sizeof(*stream));
    if (stream != NULL)
        *stream = (struct job_stream){.form = form, .time_over_us = INT64_MAX};
    return stream;
}

struct job_stream *stream_record(void (*heard)(void *user, bool last), void *user)
{
    struct job_stream *stream = stream_make(NULL);
    if (stream == NULL)
        return NULL;
    stream->heard = heard;
    stream->user = user;
    return stream;
}

void stream_unheard(struct job_stream *stream)
{
    stream->heard = NULL;
}

void stream_release(struct job_stream *stream)
{
    if (stream == NULL)
        return;
    for (int i = 0; i < SB_STREAMS; i++)
        free(stream->output[i].text);
    free(stream->displays.text);
    free(stream);
}

/* ── Events ─────────────────────────────────────────────────────────────────────────────────── */

bool stream_event(struct job_stream *stream, struct exchange *exchange, const char *name,
                  const char *data, size_t size)
{
    stream->bytes += stream_form_size(stream->form, name, size);
    return stream_form_send(stream->form, exchange, name, data, size);
}

/* Sends what has been written to `writer`, which is freed. */
static bool send_text(struct job_stream *stream, struct exchange *exchange, const char *name,
                      struct json_writer *writer)
{
    size_t size = writer->size;
    _cleanup_free_ char *text = json_end(writer);
    stream->failed |= text == NULL;
    return text != NULL && stream_event(stream, exchange, name, text, size);
}

/* The same for an object that is not closed yet. */
static bool send_written(struct job_stream *stream, struct exchange *exchange, const char *name,
                         struct json_writer *writer)
{
    json_bracket(writer, '}');
    return send_text(stream, exchange, name, writer);
}

static void pause_output(struct service_job *job, bool paused)
{
    if (job->run == NULL || job->stream->paused == paused)
        return;
    job->stream->paused = paused;
    for (int i = 0; i < SB_STREAMS; i++)
        sb_pause(job->run, (enum sb_stream)i, paused);
}

static void drained(struct exchange *exchange)
{
    pause_output(exchange->state, false);
}

static bool begin(struct job_stream *stream, const struct stream_reader *reader, int64_t position)
{
    struct timer *timer = &reader->exchange->service->stream_timer;
    struct json_writer writer;
    stream->position = position;
    stream->begun = stream_form_begin(stream->form, reader->exchange, reader->drained) == 0;
    if (!stream->begun)
        return false;
    json_begin(&writer, 192);
    json_bracket(&writer, '{');
    json_member(&writer, "id", reader->id);
    json_member(&writer, "policy", reader->policy);
    json_key(&writer, "queued");
    json_integer(&writer, position);
    send_written(stream, reader->exchange, "start", &writer);
    if (!timer->armed)
        timer_set(timer, LOOK_MS);
    return true;
}

bool stream_tell(struct job_stream *stream, const struct stream_reader *reader, int64_t position)
{
    struct json_writer writer;
    if (!stream->begun)
        return begin(stream, reader, position);
    if (position == stream->position)
        return true;
    stream->position = position;
    json_begin(&writer, 32);
    json_bracket(&writer, '{');
    json_key(&writer, "position");
    json_integer(&writer, position);
    send_written(stream, reader->exchange, "queued", &writer);
    return true;
}

static void tell_position(struct service_job *job, int64_t position)
{
    const struct stream_reader reader = {job->exchange, job->id, sb_policy_name(job->policy),
                                         drained};
    stream_tell(job->stream, &reader, position);
}

void stream_wait(struct service_job *job)
{
    tell_position(job, places_position(job->service->places, &job->ticket));
}

void stream_start(struct service_job *job)
{
    if (job->stream->form == NULL)
        return;
    int64_t asked = job->request.job.limits.value[SB_WALL_TIME_MS];
    int64_t wall_ms =
        asked > 0 && asked != SB_UNSET ? asked : sb_policy_limit(job->policy, SB_WALL_TIME_MS);
    job->stream->time_over_us = monotonic_us() + wall_ms * 1000 + OVERDUE_US;
    tell_position(job, 0);
}

/* ── Output ─────────────────────────────────────────────────────────────────────────────────── */

/* The text ends with a NUL, as a verdict's. */
static bool keep(struct output *output, const char *data, size_t size)
{
    if (output->size + size >= output->room) {
        size_t room = MAX(2 * output->room, output->size + size + 256);
        char *text = realloc(output->text, room);
        if (text == NULL)
            return false;
        output->text = text;
        output->room = room;
    }
    memcpy(output->text + output->size, data, size);
    output->size += size;
    output->text[output->size] = '\0';
    return true;
}

/* Sends what has come behind *sent. False: the client can't take more now. */
static bool send_new(const struct service_job *job, enum sb_stream which, size_t *sent,
                     const struct stream_form *form, struct exchange *exchange, bool last)
{
    static const char *const names[SB_STREAMS] = {"stdout", "stderr"};
    const struct output *output = &job->stream->output[which];
    if (output->size == *sent)
        return true;
    const char *text = output->text + *sent;
    size_t size = output->size - *sent;
    struct json_writer writer;
    if (!last && (job->flags & SB_JSON_BASE64) == 0)
        size = utf8_whole(text, size);
    if (size == 0)
        return true;
    bool binary = (job->flags & SB_JSON_BASE64) != 0 || utf8_count(text, size) < 0;
    *sent += size;
    json_begin(&writer, size + size / 16 + 32);
    json_bracket(&writer, '{');
    json_key(&writer, binary ? "base64" : "text");
    if (binary)
        json_base64(&writer, text, size);
    else
        json_string(&writer, text, size);
    json_bracket(&writer, '}');
    size_t length = writer.size;
    _cleanup_free_ char *event = json_end(&writer);
    job->stream->failed |= event == NULL;
    if (event == NULL)
        return false;
    job->stream->bytes += stream_form_size(form, names[which], length);
    return stream_form_send(form, exchange, names[which], event, length);
}

static bool send_output(struct service_job *job, enum sb_stream which, bool last)
{
    return send_new(job, which, &job->stream->output[which].sent, job->stream->form, job->exchange,
                    last);
}

bool stream_replay(const struct service_job *job, struct stream_place *place,
                   const struct stream_form *form, struct exchange *exchange, bool last)
{
    const struct output *displays = &job->stream->displays;
    bool more = true;
    for (int i = 0; i < SB_STREAMS; i++)
        more &= send_new(job, (enum sb_stream)i, &place->output[i], form, exchange, last);
    while (place->displays < displays->size) {
        const char *line = displays->text + place->displays;
        size_t size = strcspn(line, "\n");
        more = stream_form_send(form, exchange, "display", line, size);
        place->displays += size + 1;
    }
    return more;
}

/* `more`: the client can take more now. */
static void after_part(struct service_job *job, bool more)
{
    if (job->stream->failed) {
        job->killed = true;
        sb_kill(job->run, 0, "the service is short of memory for the script's output");
    } else if (!more && monotonic_us() < job->stream->time_over_us) {
        pause_output(job, true);
    }
}

static void hear(const struct job_stream *stream, bool last)
{
    if (stream->heard != NULL)
        stream->heard(stream->user, last);
}

void stream_output(void *user, enum sb_stream which, const void *data, size_t size)
{
    struct service_job *job = user;
    struct job_stream *stream = job->stream;
    bool recorded = stream->form == NULL;
    if ((job->exchange == NULL && !recorded) || stream->failed)
        return;
    bool more = true;
    if (!keep(&stream->output[which], data, size))
        stream->failed = true;
    else if (recorded)
        hear(stream, false);
    else if (stream->begun)
        more = send_output(job, which, false);
    after_part(job, more);
}

static void record_display(struct job_stream *stream, struct json_writer *writer)
{
    size_t size = writer->size;
    _cleanup_free_ char *text = json_end(writer);
    if (text == NULL || !keep(&stream->displays, text, size) || !keep(&stream->displays, "\n", 1))
        stream->failed = true;
    else
        hear(stream, false);
}

/* The script's white space goes: a newline between two tokens would begin a line of its own, which
 * could be an event that the script has made up. */
void stream_display(void *user, const char *json, size_t size)
{
    struct service_job *job = user;
    struct json_writer writer;
    bool recorded = job->stream->form == NULL;
    if (job->stream->failed || (!recorded && (job->exchange == NULL || !job->stream->begun)))
        return;
    _cleanup_free_ char *copy = strndup(json, size);
    json_begin(&writer, size);
    if (copy != NULL)
        json_verbatim(&writer, copy);
    else
        writer.failed = true;
    if (recorded) {
        record_display(job->stream, &writer);
        after_part(job, true);
        return;
    }
    after_part(job, send_text(job->stream, job->exchange, "display", &writer));
}

void stream_abandon(struct service_job *job)
{
    pause_output(job, false);
}

/* ── The end ────────────────────────────────────────────────────────────────────────────────── */

void stream_complete(struct service_job *job, struct sb_verdict *verdict)
{
    struct job_stream *stream = job->stream;
    hear(stream, true);
    for (int i = 0; i < SB_STREAMS; i++) {
        if (job->exchange != NULL && stream->begun)
            send_output(job, (enum sb_stream)i, true);
        if (stream->output[i].size == 0)
            continue;
        verdict->text[i] = stream->output[i].text;
        verdict->text_size[i] = stream->output[i].size;
    }
    if (stderr_says_why(verdict))
        verdict->error = verdict->text[SB_STDERR];
}

void stream_finish(struct job_stream *stream, struct exchange *exchange, char *text,
                   unsigned status)
{
    static const char no_memory[] =
        "{\"status\":\"error\",\"error\":\"the service is short of memory: try again later\"}";
    const char *data = text != NULL ? text : no_memory;
    stream_event(stream, exchange, "verdict", data, strlen(data));
    exchange_end(exchange, status);
    free(text);
}

void stream_verdict(struct service_job *job, char *text, unsigned status)
{
    stream_finish(job->stream, job->exchange, text, status);
}

/* Its status has been sent: the log and metrics learn here that it was refused. */
void stream_refuse(struct service_job *job, enum refusal reason, const char *message)
{
    char text[512];
    snprintf(text, sizeof(text), "%s: try again in %" PRId64 " s", message,
             places_retry_after(job->service->places, monotonic_us()));
    const struct sb_verdict verdict = sb_verdict_unstarted(job->id, text);
    job->exchange->refusal = reason;
    stream_verdict(job, sb_verdict_json(&verdict, 0), 503);
}

/* ── From time to time ──────────────────────────────────────────────────────────────────────── */

void streams_look(void *user)
{
    struct service *service = user;
    struct service_job *job;
    int64_t now_us = monotonic_us();
    bool any = false;
    if (!TAILQ_EMPTY(&service->streams))
        places_renew_positions(service->places);
    TAILQ_FOREACH(job, &service->streams, in_streams)
    {
        if (job->exchange == NULL)
            continue;
        any = true;
        if (job->ticket.state == TICKET_WAITING) {
            if (places_waits(service->places, &job->ticket))
                stream_wait(job);
        } else if (now_us >= job->stream->time_over_us) {
            pause_output(job, false);
        }
    }
    any |= graded_look(service);
    if (any)
        timer_set(&service->stream_timer, LOOK_MS);
}

/* The events of a job whose answer is streamed: `start`, `queued`, `stdout`, `stderr`, `display`,
 * `verdict`. See sandbox-api(7). A job whose client did not ask for them has no struct job_stream.
 */
#ifndef SERVE_JOB_STREAM_H
#define SERVE_JOB_STREAM_H

#include <stdbool.h>

#include "sandbox.h"
#include "serve/http/exchange.h"
#include "serve/jobs/stream_form.h"

struct job_stream;
struct service;
struct service_job;

/* "text/event-stream"; NULL: nobody is sent it, it is only recorded. */
const char *stream_type(const struct job_stream *stream);
/* Bytes sent so far. */
int64_t stream_bytes(const struct job_stream *stream);

/* NULL: out of memory. */
struct job_stream *stream_make(const struct stream_form *form);
/* For a job without a client of its own: keeps its output, for those who come to follow it.
 * `heard` is called when there is more; `last`: all of it is there, and the job is about to be
 * freed. NULL: out of memory. */
struct job_stream *stream_record(void (*heard)(void *user, bool last), void *user);
/* `heard` is called no more. */
void stream_unheard(struct job_stream *stream);
/* What a follower has been sent of a record; all zero at first. */
struct stream_place {
    size_t output[SB_STREAMS], displays;
    size_t cases; /* of a graded run, which has neither of those */
};
/* Sends a follower what is new. False: it can't take more now. */
bool stream_replay(const struct service_job *job, struct stream_place *place,
                   const struct stream_form *form, struct exchange *exchange, bool last);
/* NULL is allowed. */
void stream_release(struct job_stream *stream);

/* The job waits in the queue; its position there is sent, if that is another than before. */
void stream_wait(struct service_job *job);
/* The job runs; job->run is set. */
void stream_start(struct service_job *job);
/* on_output of its struct sb_job. */
void stream_output(void *job, enum sb_stream which, const void *data, size_t size);
/* on_display of it. */
void stream_display(void *job, const char *json, size_t size);
/* The client has left: output is dropped from now on, and what is left of it is not waited for. */
void stream_abandon(struct service_job *job);

/* The job has ended: sends the rest of its output, and adds the whole output to a verdict that has
 * none. The texts are the stream's. */
void stream_complete(struct service_job *job, struct sb_verdict *verdict);
/* Whether the client has been sent any event: its answer must end with one, then. */
bool stream_has_begun(const struct service_job *job);
/* Sends the last event of a job that waits and is not to run: a verdict that says so. */
void stream_refuse(struct service_job *job, enum refusal reason, const char *message);
/* Sends the last event. `text`: the answer as a whole, which is freed. `status`: see exchange_end.
 */
void stream_verdict(struct service_job *job, char *text, unsigned status);

/* ── An answer about several jobs ────────────────────────────────────────────────────────────── */

struct stream_reader {
    struct exchange *exchange;
    const char *id, *policy; /* for the event `start` */
    /* The client can take more, after stream_event has returned false. */
    void (*drained)(struct exchange *exchange);
};

/* Sends `start`, or later `queued` if the position is another than before. 0: it runs. False:
 * nothing has been sent so far, for want of memory. */
bool stream_tell(struct job_stream *stream, const struct stream_reader *reader, int64_t position);
/* Sends an event: an object with at least one member. False: the client can't take more now. */
bool stream_event(struct job_stream *stream, struct exchange *exchange, const char *name,
                  const char *data, size_t size);
/* Sends the event `verdict`, the last one. As stream_verdict. */
void stream_finish(struct job_stream *stream, struct exchange *exchange, char *text,
                   unsigned status);
bool stream_began(const struct job_stream *stream);

/* Once a second while there are streams: positions in the queue, and clients that are so slow that
 * their jobs' time is over. */
void streams_look(void *service);

#endif

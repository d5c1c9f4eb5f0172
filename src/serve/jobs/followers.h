/* Clients that ask for stored jobs, and wait for their end: long polls, streams of events. A client
 * that waits costs a few hundred bytes, and no thread. */
#ifndef SERVE_FOLLOWERS_H
#define SERVE_FOLLOWERS_H

#include "serve/http/exchange.h"
#include "serve/jobs/job_stream.h"

struct followers;

/* NULL: no memory, or no descriptor for a timer. */
struct followers *followers_open(struct service *service);
/* When nobody follows any more. NULL is allowed. */
void followers_close(struct followers *followers);

/* Answers with a job of the exchange's client, once it has ended or `wait_ms` are over. */
void follow_answer(struct exchange *exchange, const char *id, int64_t wait_ms);
/* Answers with the events of a job, to its end. */
void follow_events(struct exchange *exchange, const char *id, const struct stream_form *form);

/* See struct runner_setup. */
void followers_ended(void *followers, const char *id);
void followers_heard(void *followers, const char *id, bool last);

/* The service stops: nobody waits any longer. */
void followers_drain(struct followers *followers);

/* 404: whether a job is unknown, another client's or expired is not told apart. */
void job_not_found(struct exchange *exchange);

/* How a route answers for a store that could not do what it was asked for. */
void refuse_for_store(struct exchange *exchange, const char *message);

#endif

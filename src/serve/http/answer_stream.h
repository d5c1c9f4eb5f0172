/* Answers in parts, over the time that a job runs (answer_stream.c). */
#ifndef SERVE_ANSWER_STREAM_H
#define SERVE_ANSWER_STREAM_H

#include <stdbool.h>
#include <stdint.h>

struct incoming;
struct stream;

/* How long a stream may be silent: see `pulse` of exchange_begin. */
#define STREAM_SILENCE_MS 15000

/* Whether the request has an answer in parts that is still to go on. */
bool stream_is_open(const struct incoming *incoming);

/* Whether nothing has been sent for STREAM_SILENCE_MS. */
bool stream_is_silent(const struct incoming *incoming);

/* Sends the pulse: for a client that may be gone, or a proxy that closes silent connections. */
void stream_pulse(struct incoming *incoming);

/* When the request is over, in whatever way. */
void stream_close(struct incoming *incoming);

#endif

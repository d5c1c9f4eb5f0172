/* The two forms of an answer in parts, server-sent events and lines of JSON: which of them a
 * request asks for, and how an event is written in it. */
#ifndef SERVE_STREAM_FORM_H
#define SERVE_STREAM_FORM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "serve/http/exchange.h"

struct stream_form;

/* How a request wants its answer streamed, by its header Accept (NULL: it has none). NULL: not. */
const struct stream_form *stream_form_asked(const char *accept);
/* Begins an answer of that form: see exchange_begin. */
int stream_form_begin(const struct stream_form *form, struct exchange *exchange,
                      void (*drained)(struct exchange *exchange));
/* Sends an event. `data`: an object with at least one member, on one line. False: see
 * exchange_send. */
bool stream_form_send(const struct stream_form *form, struct exchange *exchange, const char *name,
                      const char *data, size_t size);
/* The bytes of an event with so many bytes of data. */
int64_t stream_form_size(const struct stream_form *form, const char *name, size_t data);
/* "text/event-stream" */
const char *stream_form_type(const struct stream_form *form);

#endif

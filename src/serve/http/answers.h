/* Answers, as libmicrohttpd takes them (answers.c). */
#ifndef SERVE_ANSWERS_H
#define SERVE_ANSWERS_H

#include <microhttpd.h>
#include <stddef.h>

struct incoming;

/* Answers with constant data. */
void incoming_answer_constant(struct incoming *incoming, unsigned status, const char *type,
                              const void *data, size_t size);

/* Answers with status 200 and a response that reads its body by itself: see stream.c. */
void incoming_answer_parts(struct incoming *incoming, const char *type,
                           struct MHD_Response *response);

/* Counts bytes of the answer as held until the client has read them, or no longer so. */
void answer_hold(struct incoming *incoming, size_t size);
void answer_release(struct incoming *incoming, size_t size);

/* Hands the answer, which must be there, to libmicrohttpd. */
enum MHD_Result answer_queue(struct incoming *incoming);

/* When the request is over, in whatever way. */
void answer_free(struct incoming *incoming);

#endif

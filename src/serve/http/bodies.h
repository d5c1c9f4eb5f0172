/* The room of bodies that come in (bodies.c). */
#ifndef SERVE_BODIES_H
#define SERVE_BODIES_H

#include <stdbool.h>
#include <stddef.h>

struct incoming;

/* Adds bytes to a body; they are counted in exchange.body_size already. False: there is no room, or
 * its client holds the most. */
bool body_add(struct incoming *incoming, const char *data, size_t size);

/* The body has arrived: makes it exchange.body. False: there is no memory. */
bool body_finish(struct incoming *incoming);

void body_free(struct incoming *incoming);

/* The message both for a client that gets no room and for one that loses it. */
extern const char body_refusal[];

#endif

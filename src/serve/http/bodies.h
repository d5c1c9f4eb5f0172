/* The memory of bodies that come in (bodies.c). */
#ifndef SERVE_BODIES_H
#define SERVE_BODIES_H

#include <stdbool.h>
#include <stddef.h>

struct incoming;

/* Makes room for a body of that size. False: there is no memory, or its client holds the most. */
bool body_grow(struct incoming *incoming, size_t size);
void body_free(struct incoming *incoming);

/* The message both for a client that gets no room and for one that loses it. */
extern const char body_refusal[];

#endif

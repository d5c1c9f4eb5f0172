/* A store in front of another, which measures how long each call takes until its callback: one
 * place for all drivers. */
#ifndef SERVE_STORE_TIMED_H
#define SERVE_STORE_TIMED_H

#include "serve/process/metrics.h"
#include "serve/store/store.h"

/* Owns `inner` from now on, and closes it with itself. NULL: out of memory, `inner` is as it was.
 */
struct store *store_timed(struct store *inner, struct metrics *metrics);

#endif

/* One queue, and one count of jobs, memory and CPUs, for several workers: their parent's side.
 *
 * Each worker tells the arbiter of its tickets, which stand in one struct admit, and hears from it
 * whose turn has come. So what admit.h promises holds for all workers together, and there are no
 * locks: one process decides. When a worker dies, its places and its tickets are given back. */
#ifndef SERVE_ARBITER_H
#define SERVE_ARBITER_H

#include <stddef.h>

#include "sandbox.h"
#include "serve/jobs/admit.h"
#include "serve/process/loop.h"
#include "serve/process/metrics.h"

struct arbiter;

/* What all workers may read at any time; the arbiter alone writes it. */
struct arbiter_board {
    metric waiting;     /* tickets of all workers */
    metric free;        /* places that no ticket waits for: admit_free */
    metric retry_after; /* seconds: admit_retry_after */
};

/* What a worker needs to ask the arbiter. Zeroed: it is the only worker, and admits for itself. */
struct arbiter_seat {
    const struct arbiter_board *board; /* NULL: there is no arbiter */
    int fd;                            /* our end of the link; the worker owns it */
};

int arbiter_open(struct arbiter **arbiter, const struct admit_bounds *bounds, size_t workers,
                 struct loop *loop, struct sb_error *err);
/* NULL is allowed. */
void arbiter_close(struct arbiter *arbiter);

/* A worker is about to be forked: makes its seat, whose descriptor the caller closes once the
 * worker has it. */
int arbiter_seat(struct arbiter *arbiter, size_t worker, struct arbiter_seat *seat,
                 struct sb_error *err);
/* In a worker, just after the fork: closes what is the parent's. The memory is left. */
void arbiter_forked(struct arbiter *arbiter);
/* A worker has died: all that it held is given to the others. */
void arbiter_part(struct arbiter *arbiter, size_t worker);

#endif

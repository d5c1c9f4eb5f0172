/* Whether the service should be sent requests now, for whoever chooses between several: GET /ready,
 * the agent of a load balancer, metrics. */
#ifndef SERVE_READINESS_H
#define SERVE_READINESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "serve/process/metrics.h"

/* Of all workers together. */
struct readiness {
    bool ready;
    char reason[320]; /* why it is not ready; "": it is */
    enum stage stage; /* the furthest of any worker */
    bool failing;     /* in some worker no job can run */
    bool store_fails; /* in some worker the last call of the store of jobs could not be carried out.
                         The service is ready all the same: it runs what does not need the store */
    int64_t running, slots, queued, promised_bytes;
};

struct readiness readiness_of(const struct metrics *metrics, size_t workers);

/* The free share of the slots in percent: 1 to 100. It is never 0, which a load balancer would take
 * for "send nothing", though a full service still queues. */
int readiness_free_percent(const struct readiness *readiness);

#endif

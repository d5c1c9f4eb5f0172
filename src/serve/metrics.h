/* Counters of what the service does. Each worker writes its own element of an array in shared
 * memory, any worker adds up all of them when asked: relaxed atomics, no locks. An element stays
 * valid when its worker dies: the next one goes on counting in it. */
#ifndef SERVE_METRICS_H
#define SERVE_METRICS_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include "sandbox.h"

/* Why a request for a job was not taken. */
enum refusal {
    REFUSED_REQUEST,    /* 400: not understood, or above a cap */
    REFUSED_FORBIDDEN,  /* 403: the token does not allow the policy */
    REFUSED_RATE,       /* 429 */
    REFUSED_QUEUE_FULL, /* 503 */
    REFUSED_QUEUE_TIME, /* 503: waited too long */
    REFUSED_STOPPING,   /* 503 */
    REFUSED_MEMORY,     /* 503: the host has too little left */
    REFUSED_CLIENT_LEFT,
    REFUSALS
};

#define METRICS_STATUSES 600 /* HTTP's, by their numbers */
#define METRICS_POLICIES 32  /* those that come later are counted together as "other" */
#define METRICS_WORDS (SB_INTERNAL + 1)
#define METRICS_BUCKETS 14

typedef _Atomic(int64_t) metric;

/* How long things took: each bucket counts those up to its bound (metrics.c), the last all. */
struct histogram {
    metric buckets[METRICS_BUCKETS];
    metric sum_us;
};

struct policy_metrics {
    metric named; /* 1 once the name is there to be read */
    char name[64];
    metric jobs[METRICS_WORDS];
};

/* All zero is a good beginning. */
struct metrics {
    metric pid; /* of the worker, 0: none yet */
    metric running, waiting, slots;
    metric promised_bytes, promise_limit_bytes;
    metric refused[REFUSALS];
    metric responses[METRICS_STATUSES];
    metric connections; /* open now */
    metric warm, cold;  /* jobs, by how they were started */
    metric zygotes, parked;
    struct histogram duration, wait;
    struct policy_metrics policies[METRICS_POLICIES];
};

/* This process writes the element from now on: what is counted stays, what is measured begins anew.
 */
void metrics_begin(struct metrics *metrics);

void metrics_set(metric *value, int64_t number);
void metrics_add(metric *value, int64_t number);

/* An answer has been sent. */
void metrics_response(struct metrics *metrics, unsigned status);

/* A job has its verdict. `waited_us` is the time until it was started, `took_us` from then on. */
void metrics_job(struct metrics *metrics, const char *policy, const struct sb_verdict *verdict,
                 int64_t waited_us, int64_t took_us);

/* All workers' elements as Prometheus text format 0.0.4. The caller frees it. NULL: no memory. */
char *metrics_text(struct metrics *metrics, size_t workers);

#endif

/* Counters of what the service does. Each worker writes its own element of an array in shared
 * memory; any worker can add up all elements: relaxed atomics, no locks. An element stays valid
 * when its worker dies, and the next worker goes on counting in it. */
#ifndef SERVE_METRICS_H
#define SERVE_METRICS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sandbox.h"

/* Why a request was refused. */
enum refusal {
    REFUSED_BY_STATUS,  /* by its status: refusals.c */
    REFUSED_REQUEST,    /* 400, 501: malformed, not supported, or above a cap */
    REFUSED_TOKEN,      /* 401: no token, or an unknown one */
    REFUSED_TOKEN_RATE, /* 429: too many of those */
    REFUSED_FORBIDDEN,  /* 403: the token does not allow the policy */
    REFUSED_ORIGIN,     /* 403: a page of another site */
    REFUSED_NOT_FOUND,  /* 404 */
    REFUSED_METHOD,     /* 405 */
    REFUSED_SLOW,       /* 408 */
    REFUSED_TOO_LARGE,  /* 413, 414, 431 */
    REFUSED_TYPE,       /* 415 */
    REFUSED_HOST,       /* 421: the Host is not one of the service's names */
    REFUSED_RATE,       /* 429 */
    REFUSED_QUEUE_FULL, /* 503 */
    REFUSED_QUEUE_TIME, /* 503: waited too long */
    REFUSED_STOPPING,   /* 503 */
    REFUSED_MEMORY,   /* 503: the host has too little memory left, or bodies have used up theirs */
    REFUSED_INTERNAL, /* 500 */
    REFUSED_CLIENT_LEFT, /* its client left before the answer */
    REFUSALS
};

/* "request", "token", …; NULL for REFUSED_BY_STATUS. */
const char *refusal_name(enum refusal refusal);

#define METRICS_STATUSES 600 /* HTTP statuses, by their numbers */
#define METRICS_POLICIES 32  /* further policies are counted together as "other" */
#define METRICS_WORDS (SB_INTERNAL + 1)
#define METRICS_BUCKETS 14

typedef _Atomic(int64_t) metric;

/* Calls of the store of jobs: the functions of struct store_driver. */
enum store_call {
    STORE_CALL_SUBMIT,
    STORE_CALL_CLAIM,
    STORE_CALL_FINISH,
    STORE_CALL_FAIL,
    STORE_CALL_GET,
    STORE_CALL_LIST,
    STORE_CALL_CANCEL,
    STORE_CALLS
};

/* How far a worker is on its way to its end. */
enum stage {
    STAGE_SERVES,
    STAGE_LINGERS, /* it serves on, but says that it is about to stop: --linger */
    STAGE_DRAINS,  /* it refuses new jobs */
};

/* The upper bound of a bucket; the last has none. */
extern const struct metrics_bound {
    int64_t us;
    const char *seconds;
} metrics_bounds[METRICS_BUCKETS];

/* How long things took: each bucket counts those up to its bound, the last all. */
struct histogram {
    metric buckets[METRICS_BUCKETS];
    metric sum_us;
};

struct policy_metrics {
    metric named; /* 1 once the name is there to be read */
    char name[64];
    metric jobs[METRICS_WORDS];
    struct histogram duration, wait;
    metric zygote, parked; /* of this worker: 1 if a zygote is ready; its children that wait */
};

/* All zero at first. */
struct metrics {
    metric pid;   /* of the worker, 0: none yet */
    metric stage; /* enum stage */
    metric running, waiting, slots;
    metric queue; /* how many may wait */
    metric promised_bytes, promise_limit_bytes;
    metric refused[REFUSALS];
    metric responses[METRICS_STATUSES];
    metric connections;                 /* open now */
    metric streams, streams_open;       /* answers in parts: all so far, and those of now */
    metric store_queued, store_running; /* stored jobs, of all nodes, as this worker knows */
    metric store_lost, store_tries;     /* given up; tries begun by this worker */
    metric store_failures;              /* calls that the store could not carry out */
    metric store_failing;               /* 1: its last call was one of them */
    struct histogram store_calls[STORE_CALLS];
    metric warm, cold; /* jobs, by how they were started */
    metric zygotes, parked;
    metric failing;            /* 1: no job can run now */
    char failing_reason[256];  /* why; readable while `failing` is 1 */
    metric reloads[2];         /* that succeeded, that failed */
    metric reload_failed;      /* 1: the last one failed */
    char reload_error[256];    /* why; "": it succeeded */
    metric certificate_expiry; /* seconds since 1970; 0: there is none */
    metric restarts;           /* of this worker */
    metric log_lost;           /* records */
    metric callbacks_sent, callbacks_failed, callbacks_waiting; /* callback.h */
    struct policy_metrics policies[METRICS_POLICIES];
};

/* This process writes the element from now on: counters stay, gauges start at 0. */
void metrics_begin(struct metrics *metrics);

int64_t metrics_get(const metric *value);
void metrics_set(metric *value, int64_t number);
void metrics_add(metric *value, int64_t number);

/* A policy's row in this worker's element, made on first use. Policies for which there is no room
 * share a row named "other". Rows never move. */
struct policy_metrics *metrics_policy(struct metrics *metrics, const char *policy);

/* Whether jobs can run; `reason` NULL: they can. */
void metrics_failing(struct metrics *metrics, const char *reason);

/* A reload has ended; `error` NULL: it succeeded. */
void metrics_reload(struct metrics *metrics, const char *error);

/* One line on the service as a whole: in which workers the last reload failed, and why in the first
 * of them; or that it failed in none. */
void metrics_status(const struct metrics *metrics, size_t workers, char *text, size_t size);

/* An answer has been sent. */
void metrics_response(struct metrics *metrics, unsigned status);

/* A job has its verdict. `waited_us` is the time until its start, `took_us` the time from then on.
 */
void metrics_job(struct metrics *metrics, const char *policy, const struct sb_verdict *verdict,
                 int64_t waited_us, int64_t took_us);

/* The store has carried out a call, or could not: it failed. `took_us`: the time until its
 * callback.
 */
void metrics_store_call(struct metrics *metrics, enum store_call call, int64_t took_us,
                        bool failed);

/* All workers' elements as Prometheus text format 0.0.4 (metrics_text.c). The caller frees it.
 * NULL: no memory. */
char *metrics_text(struct metrics *metrics, size_t workers);

#endif

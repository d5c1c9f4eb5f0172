/* Whom a job runs for. A job knows no more of its requester than this: an HTTP exchange
 * (job_exchange.c) is one. */
#ifndef SERVE_REQUESTER_H
#define SERVE_REQUESTER_H

#include <stdbool.h>

#include "sandbox.h"
#include "serve/contracts/contracts.h"
#include "serve/process/metrics.h"

struct service;
struct service_job;

struct answer {
    unsigned status; /* 0: nobody waits for it */
    char *text;      /* from malloc; NULL: none, or out of memory */
    bool host_busy;  /* the same job may succeed another time */
    bool delivered;  /* nothing is left to do: it has been streamed */
};

struct requester {
    /* The job has ended, or could not be started: makes its answer. The job still exists. */
    struct answer (*compose)(struct service_job *job, const struct sb_verdict *verdict);
    /* Takes over the answer's text. The job has been freed, and its place released. Not called for
     * an answer that was delivered, or for nobody. */
    void (*deliver)(void *owner, struct answer *answer);
    /* A job that waited will not run: the service stops, or is too busy. It has been freed. */
    void (*refuse)(void *owner, enum contract_id contract, enum refusal reason,
                   const char *message);
    /* The service closes: there will be no answer. The job still exists. */
    void (*forget)(void *owner);
    /* The job has begun to run. May be NULL. */
    void (*started)(void *owner);
    /* The job has to wait, or has another position in the queue: said once or more. May be NULL. */
    void (*waits)(struct service_job *job);
};

#endif

/* Whether jobs can run. A job of our own tests it, since clients' jobs may fail for reasons of
 * their own. */
#ifndef SERVE_HEALTH_H
#define SERVE_HEALTH_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include "sandbox.h"
#include "serve/http/exchange.h"

struct health_asker;

struct health {
    bool ok;
    char reason[512];          /* why it is not ok */
    bool busy;                 /* it is not ok because the host was too busy */
    int64_t known_us;          /* when the last probe ended; 0: a new one is needed */
    struct sb_run *probe;      /* the probe that runs now; NULL: none */
    struct policies *policies; /* the set that the probe's policy is from */
    TAILQ_HEAD(health_askers, health_asker) askers; /* requests that wait for it */
};

void health_open(struct health *health);
/* Runs a probe and waits for it. Fails when no job can run, but not when the host is only too busy.
 */
int health_begin(struct service *service, struct sb_error *err);
/* Call it after sb_close. Requests that still wait get no answer. */
void health_close(struct health *health);

/* The sandbox has failed for a job: a new probe starts soon. */
void health_doubt(struct service *service);

/* Starts a probe if the last result is no longer valid, and does not wait for it. Its result is
 * shown in the metrics (metrics_failing). */
void health_refresh(struct service *service);

/* When a probe is due: the last one has failed, or a job has (service->probe_timer). */
void health_due(void *service);

/* Answers GET /ready, at once: a load balancer must not wait for a job to learn that this service
 * is slow. */
void health_ready(struct exchange *exchange);

/* Answers GET /health, at once or when a probe has ended. */
void health_ask(struct exchange *exchange);

#endif

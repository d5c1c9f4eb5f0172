/* Whether jobs can run: known by a job of our own, as those of clients may fail for reasons of
 * theirs. */
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
    char reason[512];                               /* when it is not */
    bool busy;                                      /* it is not, for the host had too little */
    int64_t known_us;                               /* since when; 0: to be tried */
    struct sb_run *probe;                           /* that runs now */
    struct policies *policies;                      /* that the probe's policy is from */
    TAILQ_HEAD(health_askers, health_asker) askers; /* who wait for it */
};

void health_open(struct health *health);
/* Tries a job, and waits for it: a service that could run none does not begin. One whose host is
 * too busy just now does. */
int health_begin(struct service *service, struct sb_error *err);
/* After sb_close. Whoever still waits gets no answer. */
void health_close(struct health *health);

/* The sandbox has failed for a job: the next who asks is not told what was known. */
void health_doubt(struct health *health);

/* Answers GET /health, now or when a probe has ended. */
void health_ask(struct exchange *exchange);

#endif

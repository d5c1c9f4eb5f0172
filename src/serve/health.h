/* Whether jobs can run: known from those that do, tried when none has for a while. */
#ifndef SERVE_HEALTH_H
#define SERVE_HEALTH_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include "exchange.h"
#include "sandbox.h"

struct health_asker;

struct health {
    bool ok;
    char reason[512];                               /* when it is not */
    int64_t known_us;                               /* since when; 0: never tried */
    struct sb_run *probe;                           /* that runs now */
    struct policies *policies;                      /* that the probe's policy is from */
    TAILQ_HEAD(health_askers, health_asker) askers; /* who wait for it */
};

void health_open(struct health *health);
/* Tries a job, and waits for it: a service that could run none does not begin. */
int health_begin(struct service *service, struct sb_error *err);
/* After sb_close: whoever still waits is forgotten. */
void health_close(struct health *health);

/* A job has ended: `error` NULL when the sandbox did its part, else what failed. */
void health_note(struct health *health, const char *error, int64_t now_us);

/* Answers GET /health, now or when a probe has ended. */
void health_ask(struct exchange *exchange);

#endif

/* The jobs' side of the service: policies, admission, running jobs, metrics. One for each worker
 * process. Knows exchanges, not connections. */
#ifndef SERVE_SERVICE_H
#define SERVE_SERVICE_H

#include <stddef.h>

#include "sandbox.h"
#include "serve/config/config.h"
#include "serve/process/log.h"
#include "serve/process/loop.h"

struct service;
struct metrics;

/* What it needs; all of it must live as long as the service. */
struct service_setup {
    const struct config *config;
    struct loop *loop;
    struct log *log;
    const struct sb_uids *uids; /* of jobs */
    struct metrics *metrics;    /* config->workers of them in memory that the workers share: this
                                   one writes its own alone, and adds up all when asked */
    size_t worker;              /* its number */
};

/* Fails when jobs cannot run here. */
int service_open(struct service **service, const struct service_setup *setup, struct sb_error *err);

/* Reads policies anew. On an error the old ones stay. */
int service_reload(struct service *service, struct sb_error *err);

/* Takes no more jobs: 503. What waits or runs goes on; `idle` is called once nothing does. */
void service_drain(struct service *service, void (*idle)(void *user), void *user);

/* Kills jobs that run (a verdict that says `reason`), and refuses those that wait (503). */
void service_kill_jobs(struct service *service, const char *reason);

/* NULL is allowed. Jobs that run are killed without a verdict. */
void service_close(struct service *service);

#endif

/* The jobs' side of the service: policies, admission, running jobs, metrics. One for each worker
 * process. It knows exchanges, but not connections. */
#ifndef SERVE_SERVICE_H
#define SERVE_SERVICE_H

#include <stddef.h>

#include "sandbox.h"
#include "serve/config/config.h"
#include "serve/jobs/arbiter.h"
#include "serve/process/log.h"
#include "serve/process/loop.h"

struct service;
struct tokens;

/* All of these must live as long as the service. */
struct service_setup {
    const struct config *config;
    struct loop *loop;
    struct log *log;
    const struct sb_uids *uids; /* of jobs */
    struct metrics *metrics;    /* of all config->workers workers, in memory that they share: each
                                   writes its own, and reads all */
    size_t worker;              /* this worker's number */
    struct arbiter_seat seat;   /* taken over; zeroed: it is the only one */
};

/* Fails when jobs cannot run here. */
int service_open(struct service **service, const struct service_setup *setup, struct sb_error *err);

/* Reads policies again. On an error the old ones are kept. */
int service_reload(struct service *service, struct sb_error *err);

/* Serves on, but says in metrics and GET /ready that it is about to stop. */
void service_linger(struct service *service);

/* Who has which token, for stored jobs: as http_tokens. Call it before the loop runs. */
void service_know_tokens(struct service *service, struct tokens *const *tokens);

/* Refuses further jobs (503). Jobs that wait or run go on; `idle` is called once none is left. */
void service_drain(struct service *service, void (*idle)(void *user), void *user);

/* Kills jobs that run (a verdict that says `reason`), and refuses those that wait (503). */
void service_kill_jobs(struct service *service, const char *reason);

/* NULL is allowed. Jobs that run are killed without a verdict. */
void service_close(struct service *service);

#endif

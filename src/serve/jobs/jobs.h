/* What the files of the jobs' side share: the service's state, and a job's way through it. */
#ifndef SERVE_JOBS_H
#define SERVE_JOBS_H

#include <stdbool.h>
#include <sys/queue.h>

#include "serve/contracts/request.h"
#include "serve/http/exchange.h"
#include "serve/jobs/admit.h"
#include "serve/jobs/health.h"
#include "serve/jobs/policies.h"
#include "serve/jobs/preload.h"
#include "serve/jobs/service.h"
#include "serve/process/metrics.h"

struct service_job;

struct service {
    const struct config *config;
    struct loop *loop;
    struct log *log;
    const struct sb_uids *uids;
    struct metrics *all_metrics;                   /* of all workers, config->workers of them */
    struct metrics *metrics;                       /* our own */
    struct policy_metrics *rows[METRICS_POLICIES]; /* of these policies: */
    const struct policies *rows_of;
    struct sb_sandbox *sandbox;
    struct watch watch; /* of the sandbox's descriptor */
    struct policies *policies;
    struct admit *admit;
    struct admit_bounds bounds; /* this worker's share */
    struct timer queue_timer;   /* for what time alone changes in it */
    int64_t looked_us;          /* at what the jobs want of the CPUs */
    bool low;                   /* the host's memory is: memory.c */
    char lack[160];
    struct health health;
    struct preload_searches searches;
    TAILQ_HEAD(jobs, service_job) jobs; /* waiting or running */
    bool busy;  /* in jobs_pump or sb_turn: nothing is started from within */
    bool again; /* jobs_pump was asked for meanwhile */
    bool draining;
    void (*idle)(void *user);
    void *idle_user;
};

/* Lets a request run, now or when its turn comes, and answers the exchange then, or refuses it at
 * once. Takes what is in *request, which has been checked against `policy` of the present set. */
void job_submit(struct exchange *exchange, struct request *request, const struct sb_policy *policy);

/* Why no job is started for want of the host's memory, until it is asked again; NULL: it has some.
 * `look`: now, else as last seen. */
const char *memory_lack(struct service *service, bool look);

/* Starts those whose turn it is, and refuses those that have waited too long or are too many. */
void jobs_pump(struct service *service);

/* Kills those that run, and refuses those that wait. */
void jobs_kill(struct service *service, const char *reason);

/* Frees them, when the sandbox has been closed. */
void jobs_free(struct service *service);

/* Answers an exchange with a refusal, and counts it. */
void refuse(struct exchange *exchange, enum contract_id contract, enum refusal reason,
            unsigned status, const char *field, const char *message);

#endif

/* The jobs' side of one worker: what its files share. */
#ifndef SERVE_SERVICE_STATE_H
#define SERVE_SERVICE_STATE_H

#include <stdbool.h>
#include <sys/queue.h>

#include "serve/jobs/health.h"
#include "serve/jobs/places.h"
#include "serve/jobs/policies.h"
#include "serve/jobs/preload.h"
#include "serve/jobs/service.h"
#include "serve/process/metrics.h"

struct entering;
struct followers;
struct graded;
struct runner;
struct service_job;

struct service {
    const struct config *config;
    struct loop *loop;
    struct log *log;
    const struct sb_uids *uids;
    struct metrics *all_metrics;                   /* of all workers, config->workers of them */
    struct metrics *metrics;                       /* our own */
    struct policy_metrics *rows[METRICS_POLICIES]; /* where each policy of rows_of is counted */
    const struct policies *rows_of;
    struct sb_sandbox *sandbox;
    struct watch watch; /* of the sandbox's descriptor */
    struct policies *policies;
    struct places *places;
    struct admit_bounds bounds; /* of all workers together */
    struct timer queue_timer;   /* for what changes in the queue by time alone */
    struct timer stream_timer;  /* see streams_look */
    struct timer probe_timer;   /* see health_due */
    int64_t looked_us;          /* when the CPU demand of jobs was last measured */
    bool low;                   /* the host is short of memory: memory.c */
    char lack[160];
    struct health health;
    struct preload_searches searches;
    struct runner *runner;                    /* of stored jobs; NULL: there is no store */
    struct followers *followers;              /* the clients that wait for them */
    TAILQ_HEAD(jobs, service_job) jobs;       /* waiting or running */
    TAILQ_HEAD(running, service_job) running; /* of these, the ones that run; see look_at_demand */
    TAILQ_HEAD(streams, service_job) streams; /* those whose answers are streamed */
    struct entering *entering;                /* see job_enter */
    LIST_HEAD(graded_runs, graded) graded;    /* that have no answer yet */
    struct timer graded_timer;                /* for those whose cases were all refused for now */
    bool busy;  /* in jobs_pump or sb_turn: nothing is started from within */
    bool again; /* jobs_pump was asked for meanwhile */
    bool draining;
    void (*idle)(void *user);
    void *idle_user;
};

#endif

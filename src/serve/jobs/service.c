/* The jobs' side of a worker as a whole: opening, reloading, draining, closing. */
#include "serve/jobs/service.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>

#include "common/error.h"
#include "common/quantity.h"
#include "serve/jobs/bounds.h"
#include "serve/jobs/followers.h"
#include "serve/jobs/graded.h"
#include "serve/jobs/job_stream.h"
#include "serve/jobs/job_uids.h"
#include "serve/jobs/jobs.h"
#include "serve/jobs/memory.h"
#include "serve/jobs/runner.h"

/* The service's bounds are shown once, by the first worker. */
static void set_bounds(struct service *service, size_t worker)
{
    service->bounds = bounds_of(service->config, service->policies);
    metrics_set(&service->metrics->slots, worker == 0 ? service->bounds.jobs : 0);
    metrics_set(&service->metrics->queue, worker == 0 ? service->bounds.queue : 0);
    metrics_set(&service->metrics->promise_limit_bytes,
                worker == 0 ? service->bounds.memory_bytes : 0);
}

/* A policy whose jobs can never run is a mistake of the configuration: warns of it at once. */
static void warn_of_large(const struct service *service)
{
    for (size_t i = 0; i < service->policies->count; i++) {
        const struct sb_policy *policy = service->policies->policy[i];
        int64_t needed = sb_policy_limit(policy, SB_MEMORY_BYTES);
        char job[QUANTITY_TEXT_SIZE], all[QUANTITY_TEXT_SIZE];
        if (needed > service->bounds.memory_bytes)
            log_say(service->log, LOG_WARNING,
                    "policy \"%s\" gives a job %s of memory, and the service has %s for all jobs: "
                    "its jobs will be refused; raise --memory",
                    sb_policy_name(policy), quantity_text(job, "bytes", needed),
                    quantity_text(all, "bytes", service->bounds.memory_bytes));
    }
}

/* ── Warm starts ────────────────────────────────────────────────────────────────────────────── */

static int enable_warm(struct service *service, struct sb_error *err)
{
    const struct config *config = service->config;
    const struct sb_warm_options options = {
        .parked_max = (size_t)config->parked,
        .memory_bytes = config->parked_bytes / config->workers,
        .renew_jobs = (size_t)config->renew_jobs,
        .renew_ms = config->renew_ms,
    };
    if (job_uids_suffice(service->uids, config, service->policies->count, err) < 0)
        return -1;
    return config->cold ? 0 : sb_warm_enable(service->sandbox, &options, err);
}

/* Makes interpreters ready before the first job needs them. */
static void prepare_warm(struct service *service)
{
    struct policies *policies = service->policies;
    for (size_t i = 0; i < policies->count; i++)
        if (policies->missing[i] == NULL && !policies_withhold(policies, i))
            sb_warm_prepare(service->sandbox, policies->policy[i]);
}

/* Logs once, until warm starts work again, why jobs of a policy start cold. */
static void tell_why_cold(struct service *service, size_t i, const struct sb_warm_state *state)
{
    struct policies *policies = service->policies;
    uint64_t bit = UINT64_C(1) << i % 64;
    if (state->ready)
        policies->told &= ~bit;
    if (service->config->cold || state->ready || state->failed == 0 || policies->told & bit ||
        policies->missing[i] != NULL)
        return;
    policies->told |= bit;
    char text[PRELOAD_REASON_SIZE];
    if (preload_reason(policies, i, text) != NULL)
        log_say(service->log, LOG_WARNING, "policy \"%s\" is not offered for now: %s",
                sb_policy_name(policies->policy[i]), text);
    else
        log_say(service->log, LOG_WARNING,
                "jobs of policy \"%s\" start cold for now: %s; fix that, or give it \"start\": "
                "\"cold\"",
                sb_policy_name(policies->policy[i]), state->reason);
}

/* Finds where each policy is counted. Once for each set, since the numbers are updated after each
 * turn. */
static void find_rows(struct service *service)
{
    if (service->rows_of == service->policies)
        return;
    service->rows_of = service->policies;
    for (size_t i = 0; i < METRICS_POLICIES; i++) {
        metrics_set(&service->metrics->policies[i].zygote, 0); /* its policy may be gone */
        metrics_set(&service->metrics->policies[i].parked, 0);
    }
    for (size_t i = 0; i < service->policies->count && i < METRICS_POLICIES - 1; i++)
        service->rows[i] =
            metrics_policy(service->metrics, sb_policy_name(service->policies->policy[i]));
}

static void show_warm(struct service *service)
{
    int64_t zygotes = 0, parked = 0;
    find_rows(service);
    for (size_t i = 0; i < service->policies->count; i++) {
        struct sb_warm_state state = sb_warm_state(service->sandbox, service->policies->policy[i]);
        tell_why_cold(service, i, &state);
        zygotes += state.ready;
        parked += (int64_t)state.parked;
        if (i < METRICS_POLICIES - 1) {
            metrics_set(&service->rows[i]->zygote, state.ready);
            metrics_set(&service->rows[i]->parked, (int64_t)state.parked);
        }
    }
    metrics_set(&service->metrics->zygotes, zygotes);
    metrics_set(&service->metrics->parked, parked);
}

/* ── The sandbox ────────────────────────────────────────────────────────────────────────────── */

static void turn_sandbox(void *user, uint32_t events)
{
    struct service *service = user;
    struct sb_error err;
    (void)events;
    service->busy = true;
    int result = sb_turn(service->sandbox, 0, &err);
    service->busy = false;
    if (result < 0)
        log_say(service->log, LOG_ERR, "%s", err.message);
    jobs_pump(service);
    show_warm(service);
}

static void queue_expired(void *user)
{
    jobs_pump(user);
}

static int open_timers(struct service *service, struct sb_error *err)
{
    if (timer_open(&service->queue_timer, service->loop, queue_expired, service) < 0) {
        service->queue_timer.watch.fd = -1;
        return sb_fail(err, "timerfd", errno, "can't create a timer for the queue");
    }
    if (timer_open(&service->stream_timer, service->loop, streams_look, service) < 0) {
        service->stream_timer.watch.fd = -1;
        return sb_fail(err, "timerfd", errno, "can't create a timer for streams");
    }
    if (timer_open(&service->probe_timer, service->loop, health_due, service) < 0) {
        service->probe_timer.watch.fd = -1;
        return sb_fail(err, "timerfd", errno, "can't create a timer for probes");
    }
    if (timer_open(&service->graded_timer, service->loop, graded_retry, service) < 0) {
        service->graded_timer.watch.fd = -1;
        return sb_fail(err, "timerfd", errno, "can't create a timer for graded runs");
    }
    return 0;
}

static int open_sandbox(struct service *service, struct sb_error *err)
{
    const struct config *config = service->config;
    const struct sb_options options = {
        .rootfs = config->rootfs,
        .python = config->python,
        .cgroup = config->cgroup,
        .uid_first = config->uid_first,
        .uid_count = config->uid_count,
        .uids = service->uids,
        .best_effort = config->best_effort,
        .allow_missing = config->allow_missing,
        .memory_floor_bytes = config->floor_bytes,
    };
    if (sb_open(&service->sandbox, &options, err) < 0 || enable_warm(service, err) < 0)
        return -1;
    service->watch =
        (struct watch){.fd = sb_fd(service->sandbox), .ready = turn_sandbox, .user = service};
    if (loop_add(service->loop, &service->watch, EPOLLIN) < 0) {
        service->watch.fd = -1;
        return sb_fail(err, "epoll", errno, "can't wait for the sandbox");
    }
    return sb_turn(service->sandbox, 0, err); /* removes what dead supervisors have left */
}

static int read_policies(struct policies **policies, const struct config *config,
                         struct sb_error *err)
{
    if (policies_load(policies, config->policies, err) < 0)
        return -1;
    policies_bound(*policies, config);
    (*policies)->offer_default = config->offer_default;
    return 0;
}

static void changed(void *user)
{
    jobs_pump(user);
}

/* No job can be started any more: the parent of the workers ends, or has no memory. */
static void places_lost(void *user)
{
    const struct service *service = user;
    if (service->draining)
        return;
    log_say(service->log, LOG_ERR, "the parent of the workers has left this one, which ends");
    loop_stop(service->loop);
}

static int open_places(struct service *service, const struct arbiter_seat *seat,
                       struct sb_error *err)
{
    const struct places_events events = {changed, job_waits, places_lost, service};
    return places_open(&service->places, &service->bounds, seat, &events, service->loop, err);
}

/* ── Jobs that outlast a connection ──────────────────────────────────────────────────────────── */

static int open_runner(struct service *service, size_t worker, struct sb_error *err)
{
    if (service->config->store == NULL || strcmp(service->config->store, "none") == 0)
        return 0;
    service->followers = followers_open(service);
    if (service->followers == NULL)
        return sb_fail(err, "memory", errno, "can't make ready for clients that wait for jobs");
    const struct runner_setup setup = {.service = service,
                                       .worker = worker,
                                       .ended = followers_ended,
                                       .heard = followers_heard,
                                       .user = service->followers};
    return runner_open(&service->runner, &setup, err);
}

void service_know_tokens(struct service *service, struct tokens *const *tokens)
{
    if (service->runner != NULL)
        runner_know_tokens(service->runner, tokens);
}

static int open_all(struct service *service, const struct service_setup *setup,
                    struct sb_error *err)
{
    if (read_policies(&service->policies, service->config, err) < 0)
        return -1;
    set_bounds(service, setup->worker);
    if (open_places(service, &setup->seat, err) < 0 || open_timers(service, err) < 0)
        return -1;
    service->policies->sandbox = &service->sandbox;
    if (open_sandbox(service, err) < 0 || health_begin(service, err) < 0)
        return -1;
    preload_begin(service);
    if (preload_wait(service, err) < 0 || open_runner(service, setup->worker, err) < 0)
        return -1;
    prepare_warm(service);
    warn_of_large(service);
    memory_lack(service, true);
    return 0;
}

int service_open(struct service **out, const struct service_setup *setup, struct sb_error *err)
{
    struct service *service = calloc(1, sizeof(*service));
    if (service == NULL)
        return sb_fail(err, "memory", ENOMEM, "out of memory (the service)");
    *service = (struct service){.config = setup->config,
                                .loop = setup->loop,
                                .log = setup->log,
                                .uids = setup->uids,
                                .all_metrics = setup->metrics,
                                .metrics = &setup->metrics[setup->worker],
                                .watch.fd = -1,
                                .queue_timer.watch.fd = -1,
                                .stream_timer.watch.fd = -1,
                                .probe_timer.watch.fd = -1,
                                .graded_timer.watch.fd = -1};
    TAILQ_INIT(&service->jobs);
    TAILQ_INIT(&service->running);
    TAILQ_INIT(&service->streams);
    LIST_INIT(&service->graded);
    LIST_INIT(&service->searches);
    health_open(&service->health);
    metrics_begin(service->metrics);
    if (open_all(service, setup, err) < 0) {
        service_close(service);
        return -1;
    }
    *out = service;
    return 0;
}

int service_reload(struct service *service, struct sb_error *err)
{
    struct policies *policies;
    if (read_policies(&policies, service->config, err) < 0)
        return -1;
    policies->sandbox = &service->sandbox;
    preload_inherit(policies, service->policies);
    policies_release(service->policies);
    service->policies = policies;
    service->rows_of = NULL; /* the new set may have the address of the old one */
    preload_begin(service);
    prepare_warm(service);
    warn_of_large(service);
    return 0;
}

void service_linger(struct service *service)
{
    metrics_set(&service->metrics->stage, STAGE_LINGERS);
}

static void begin_to_drain(struct service *service)
{
    service->draining = true;
    metrics_set(&service->metrics->stage, STAGE_DRAINS);
}

void service_drain(struct service *service, void (*idle)(void *user), void *user)
{
    begin_to_drain(service);
    service->idle = idle;
    service->idle_user = user;
    if (service->runner != NULL) {
        followers_drain(service->followers);
        runner_drain(service->runner);
    }
    jobs_pump(service);
}

void service_kill_jobs(struct service *service, const char *reason)
{
    begin_to_drain(service);
    jobs_kill(service, reason);
}

void service_close(struct service *service)
{
    if (service == NULL)
        return;
    if (service->watch.fd >= 0)
        loop_remove(service->loop, &service->watch);
    sb_close(service->sandbox);
    service->sandbox = NULL;
    health_close(&service->health);
    preload_close(service);
    jobs_free(service);
    runner_close(service->runner);
    followers_close(service->followers);
    if (service->queue_timer.watch.fd >= 0)
        timer_close(&service->queue_timer, service->loop);
    if (service->stream_timer.watch.fd >= 0)
        timer_close(&service->stream_timer, service->loop);
    if (service->graded_timer.watch.fd >= 0)
        timer_close(&service->graded_timer, service->loop);
    places_close(service->places);
    policies_release(service->policies);
    free(service);
}

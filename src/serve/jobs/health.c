/* Tests health by running a job, which proves more than any list of conditions. */
#include "serve/jobs/health.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/error.h"
#include "common/json_writer.h"
#include "common/util.h"
#include "serve/contracts/contracts.h"
#include "serve/jobs/memory.h"
#include "serve/jobs/service_state.h"
#include "serve/process/readiness.h"

/* How long a result is valid. A failure is valid for less, since its cause may have been fixed. */
#define BELIEVED_US INT64_C(5000000)
#define BELIEVED_FAILURE_US INT64_C(1000000)

struct health_asker {
    struct health *health;
    struct exchange *exchange;
    TAILQ_ENTRY(health_asker) all;
};

void health_open(struct health *health)
{
    *health = (struct health){0};
    TAILQ_INIT(&health->askers);
}

void health_doubt(struct service *service)
{
    if (!service->health.ok)
        return;
    service->health.known_us = 0;
    timer_set(&service->probe_timer, 0);
}

/* Whether the result of the last probe still counts. */
static bool is_known(const struct health *health)
{
    int64_t believed_us = health->ok ? BELIEVED_US : BELIEVED_FAILURE_US;
    return health->known_us > 0 && monotonic_us() - health->known_us < believed_us;
}

/* Shows in the metrics whether jobs can run. Returns why not; NULL: they can. */
static const char *show_health(struct service *service)
{
    const struct health *health = &service->health;
    const char *lack = memory_lack(service, true);
    const char *reason = lack == NULL && !health->ok ? health->reason : lack;
    metrics_failing(service->metrics, reason);
    return reason;
}

/* {"status":"healthy"} with 200, or {"status":"unhealthy","error":…} with 503. */
static void answer_health(struct exchange *exchange, const char *error)
{
    struct json_writer writer;
    const char *status = error == NULL ? "healthy" : "unhealthy";
    json_begin(&writer, 128);
    json_bracket(&writer, '{');
    json_key(&writer, "status");
    json_string(&writer, status, strlen(status));
    if (error != NULL) {
        json_key(&writer, "error");
        json_string(&writer, error, strlen(error));
    }
    json_bracket(&writer, '}');
    char *text = json_end(&writer);
    exchange->no_refusal = true;
    exchange_answer(exchange, error == NULL ? 200 : 503, "application/json", text,
                    text != NULL ? strlen(text) : 0);
}

/* A probe has ended. `error` NULL: it ran; else why it did not. */
static void tell_askers(struct service *service, const char *error)
{
    struct health *health = &service->health;
    struct health_asker *asker;
    bool news = health->ok || !TAILQ_EMPTY(&health->askers);
    health->ok = error == NULL;
    health->known_us = monotonic_us();
    snprintf(health->reason, sizeof(health->reason), "%s", error != NULL ? error : "");
    show_health(service);
    if (error != NULL)
        timer_set(&service->probe_timer, BELIEVED_FAILURE_US / 1000);
    if (error != NULL && news)
        log_say(service->log, LOG_ERR, "no job can run: %s", health->reason);
    while ((asker = TAILQ_FIRST(&health->askers)) != NULL) {
        struct exchange *exchange = asker->exchange;
        TAILQ_REMOVE(&health->askers, asker, all);
        free(asker);
        exchange->gone = NULL;
        answer_health(exchange, health->ok ? NULL : health->reason);
    }
}

static void probe_done(void *user, const struct sb_verdict *verdict)
{
    struct service *service = user;
    struct health *health = &service->health;
    health->probe = NULL;
    policies_release(health->policies);
    health->policies = NULL;
    health->busy = verdict->host_busy;
    tell_askers(service, verdict->word == SB_OK ? NULL : verdict->error);
}

/* Does not use the queue: health must be known when that is full, too. */
static void start_probe(struct service *service)
{
    static const char code[] = "pass";
    struct health *health = &service->health;
    struct sb_error err;
    struct sb_job job = {
        .policy = policies_find(service->policies, contracts[NATIVE].policy),
        .code = code,
        .code_size = strlen(code),
        .limits = sb_limits_unset(),
        .on_done = probe_done,
        .user = service,
    };
    if (sb_start(service->sandbox, &job, &health->probe, &err) == 0) {
        health->policies = policies_use(service->policies);
        return;
    }
    health->probe = NULL;
    tell_askers(service, err.message);
}

int health_begin(struct service *service, struct sb_error *err)
{
    struct health *health = &service->health;
    start_probe(service);
    while (health->probe != NULL)
        if (sb_turn(service->sandbox, -1, err) < 0)
            return -1;
    return health->ok || health->busy
               ? 0
               : sb_fail(err, "health", 0, "no job can run: %.450s", health->reason);
}

static void asker_left(struct exchange *exchange)
{
    struct health_asker *asker = exchange->state;
    TAILQ_REMOVE(&asker->health->askers, asker, all);
    free(asker);
}

void health_ask(struct exchange *exchange)
{
    struct service *service = exchange->service;
    struct health *health = &service->health;
    if (service->draining) {
        answer_health(exchange, "the service is stopping");
        return;
    }
    const char *lack = memory_lack(service, true);
    if (lack != NULL) {
        answer_health(exchange, lack);
        return;
    }
    if (is_known(health)) {
        answer_health(exchange, health->ok ? NULL : health->reason);
        return;
    }
    struct health_asker *asker = calloc(1, sizeof(*asker));
    if (asker == NULL) {
        answer_health(exchange, "out of memory");
        return;
    }
    *asker = (struct health_asker){.health = health, .exchange = exchange};
    TAILQ_INSERT_TAIL(&health->askers, asker, all);
    exchange->state = asker;
    exchange->gone = asker_left;
    if (health->probe == NULL)
        start_probe(service);
}

/* ── GET /ready ─────────────────────────────────────────────────────────────────────────────── */

void health_refresh(struct service *service)
{
    const struct health *health = &service->health;
    show_health(service);
    if (!service->draining && !service->low && health->probe == NULL && !is_known(health))
        start_probe(service);
}

void health_due(void *user)
{
    struct service *service = user;
    health_refresh(service);
    /* It did not start one, for now or because it was too early. */
    if (!service->health.ok && service->health.probe == NULL && !service->draining)
        timer_set(&service->probe_timer, BELIEVED_FAILURE_US / 1000);
}

static void put_number(struct json_writer *writer, const char *name, int64_t number)
{
    json_key(writer, name);
    json_integer(writer, number);
}

void health_ready(struct exchange *exchange)
{
    struct service *service = exchange->service;
    struct json_writer writer;
    health_refresh(service);
    const struct readiness readiness =
        readiness_of(service->all_metrics, (size_t)service->config->workers);
    json_begin(&writer, 256);
    json_bracket(&writer, '{');
    json_key(&writer, "ready");
    json_boolean(&writer, readiness.ready);
    if (!readiness.ready) {
        json_key(&writer, "reason");
        json_string(&writer, readiness.reason, strlen(readiness.reason));
    }
    put_number(&writer, "running", readiness.running);
    put_number(&writer, "slots", readiness.slots);
    put_number(&writer, "queued", readiness.queued);
    put_number(&writer, "memory_promised_bytes", readiness.promised_bytes);
    if (service->runner != NULL) {
        const char *store = readiness.store_fails ? "failing" : "ok";
        json_key(&writer, "store");
        json_string(&writer, store, strlen(store));
    }
    json_bracket(&writer, '}');
    char *text = json_end(&writer);
    exchange->no_refusal = true;
    exchange_answer(exchange, readiness.ready ? 200 : 503, "application/json", text,
                    text != NULL ? strlen(text) : 0);
}

void health_close(struct health *health)
{
    struct health_asker *asker;
    while ((asker = TAILQ_FIRST(&health->askers)) != NULL) {
        TAILQ_REMOVE(&health->askers, asker, all);
        asker->exchange->gone = NULL;
        free(asker);
    }
    policies_release(health->policies);
    health->policies = NULL;
}

/* Metrics: counting. See metrics.h. */
#include "serve/process/metrics.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

const struct metrics_bound metrics_bounds[METRICS_BUCKETS] = {
    {1000, "0.001"},  {2500, "0.0025"}, {5000, "0.005"},  {10000, "0.01"},     {25000, "0.025"},
    {50000, "0.05"},  {100000, "0.1"},  {250000, "0.25"}, {500000, "0.5"},     {1000000, "1"},
    {2500000, "2.5"}, {10000000, "10"}, {60000000, "60"}, {INT64_MAX, "+Inf"},
};

static const char *const reasons[REFUSALS] = {
    [REFUSED_REQUEST] = "request",
    [REFUSED_TOKEN] = "token",
    [REFUSED_TOKEN_RATE] = "token_rate",
    [REFUSED_FORBIDDEN] = "forbidden",
    [REFUSED_ORIGIN] = "origin",
    [REFUSED_NOT_FOUND] = "not_found",
    [REFUSED_METHOD] = "method",
    [REFUSED_SLOW] = "slow",
    [REFUSED_TOO_LARGE] = "too_large",
    [REFUSED_TYPE] = "type",
    [REFUSED_HOST] = "host",
    [REFUSED_RATE] = "rate",
    [REFUSED_QUEUE_FULL] = "queue_full",
    [REFUSED_QUEUE_TIME] = "queue_time",
    [REFUSED_STOPPING] = "stopping",
    [REFUSED_MEMORY] = "memory",
    [REFUSED_INTERNAL] = "internal",
    [REFUSED_CLIENT_LEFT] = "client_left",
};

const char *refusal_name(enum refusal refusal)
{
    return reasons[refusal];
}

void metrics_set(metric *value, int64_t number)
{
    atomic_store_explicit(value, number, memory_order_relaxed);
}

void metrics_add(metric *value, int64_t number)
{
    atomic_fetch_add_explicit(value, number, memory_order_relaxed);
}

int64_t metrics_get(const metric *value)
{
    return atomic_load_explicit(value, memory_order_relaxed);
}

void metrics_begin(struct metrics *metrics)
{
    metrics_set(&metrics->stage, STAGE_SERVES);
    metrics_set(&metrics->failing, 0);
    metrics_set(&metrics->running, 0);
    metrics_set(&metrics->waiting, 0);
    metrics_set(&metrics->promised_bytes, 0);
    metrics_set(&metrics->store_queued, 0);
    metrics_set(&metrics->store_running, 0);
    metrics_set(&metrics->store_failing, 0);
    metrics_set(&metrics->connections, 0);
    metrics_set(&metrics->streams_open, 0);
    metrics_set(&metrics->zygotes, 0);
    metrics_set(&metrics->parked, 0);
    metrics_set(&metrics->callbacks_waiting, 0);
    metrics_set(&metrics->reload_failed, 0);
    metrics->reload_error[0] = '\0';
    for (size_t i = 0; i < METRICS_POLICIES; i++) {
        metrics_set(&metrics->policies[i].zygote, 0);
        metrics_set(&metrics->policies[i].parked, 0);
    }
    metrics_set(&metrics->pid, getpid());
}

void metrics_failing(struct metrics *metrics, const char *reason)
{
    if (reason != NULL)
        snprintf(metrics->failing_reason, sizeof(metrics->failing_reason), "%s", reason);
    atomic_store_explicit(&metrics->failing, reason != NULL, memory_order_release);
}

void metrics_reload(struct metrics *metrics, const char *error)
{
    metrics_add(&metrics->reloads[error != NULL], 1);
    metrics_set(&metrics->reload_failed, error != NULL);
    snprintf(metrics->reload_error, sizeof(metrics->reload_error), "%s", error ? error : "");
    for (char *at = metrics->reload_error; *at != '\0'; at++)
        if (*at == '\n')
            *at = ' ';
}

void metrics_status(const struct metrics *metrics, size_t workers, char *text, size_t size)
{
    char numbers[64] = "";
    const char *error = NULL;
    size_t used = 0;
    for (size_t i = 0; i < workers; i++) {
        if (metrics_get(&metrics[i].reload_failed) == 0)
            continue;
        if (used < sizeof(numbers))
            used += (size_t)snprintf(numbers + used, sizeof(numbers) - used, "%s%zu",
                                     error != NULL ? ", " : "", i);
        error = error != NULL ? error : metrics[i].reload_error;
    }
    if (error != NULL)
        snprintf(text, size, "the last reload failed in worker %s: %s", numbers, error);
    else
        snprintf(text, size, "ready; policies, tokens and certificates are up to date");
}

void metrics_response(struct metrics *metrics, unsigned status)
{
    if (status < METRICS_STATUSES)
        metrics_add(&metrics->responses[status], 1);
}

static void observe(struct histogram *histogram, int64_t us)
{
    size_t i = 0;
    while (us > metrics_bounds[i].us)
        i++;
    metrics_add(&histogram->buckets[i], 1);
    metrics_add(&histogram->sum_us, us);
}

/* Only the element's own worker calls this. */
struct policy_metrics *metrics_policy(struct metrics *metrics, const char *policy)
{
    size_t i = 0;
    struct policy_metrics *row = metrics->policies;
    for (; i < METRICS_POLICIES - 1 && metrics_get(&row[i].named) != 0; i++)
        if (strncmp(row[i].name, policy, sizeof(row[i].name) - 1) == 0)
            return &row[i];
    if (metrics_get(&row[i].named) != 0)
        return &row[i];
    const char *name = i < METRICS_POLICIES - 1 ? policy : "other";
    snprintf(row[i].name, sizeof(row[i].name), "%s", name);
    atomic_store_explicit(&row[i].named, 1, memory_order_release);
    return &row[i];
}

void metrics_job(struct metrics *metrics, const char *policy, const struct sb_verdict *verdict,
                 int64_t waited_us, int64_t took_us)
{
    struct policy_metrics *row = metrics_policy(metrics, policy);
    metrics_add(&row->jobs[verdict->word], 1);
    metrics_add(strcmp(verdict->start, "warm") == 0 ? &metrics->warm : &metrics->cold, 1);
    observe(&row->wait, waited_us);
    observe(&row->duration, took_us);
}

void metrics_store_call(struct metrics *metrics, enum store_call call, int64_t took_us, bool failed)
{
    metrics_add(&metrics->store_failures, failed);
    metrics_set(&metrics->store_failing, failed);
    observe(&metrics->store_calls[call], took_us);
}

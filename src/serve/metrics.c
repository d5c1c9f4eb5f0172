/* Metrics: counting, and adding up. The text is Prometheus' format 0.0.4:
 * https://prometheus.io/docs/instrumenting/exposition_formats/ */
#include "metrics.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "util.h"

/* Upper bounds of the buckets; the last has none. */
static const struct {
    int64_t us;
    const char *seconds;
} bounds[METRICS_BUCKETS] = {
    {1000, "0.001"},  {2500, "0.0025"}, {5000, "0.005"},  {10000, "0.01"},     {25000, "0.025"},
    {50000, "0.05"},  {100000, "0.1"},  {250000, "0.25"}, {500000, "0.5"},     {1000000, "1"},
    {2500000, "2.5"}, {10000000, "10"}, {60000000, "60"}, {INT64_MAX, "+Inf"},
};

static const char *const reasons[REFUSALS] = {
    [REFUSED_REQUEST] = "request",
    [REFUSED_FORBIDDEN] = "forbidden",
    [REFUSED_RATE] = "rate",
    [REFUSED_QUEUE_FULL] = "queue_full",
    [REFUSED_QUEUE_TIME] = "queue_time",
    [REFUSED_MEMORY] = "memory",
    [REFUSED_STOPPING] = "stopping",
    [REFUSED_CLIENT_LEFT] = "client_left",
};

/* ── Counting ────────────────────────────────────────────────────────────────────────────────── */

void metrics_set(metric *value, int64_t number)
{
    atomic_store_explicit(value, number, memory_order_relaxed);
}

void metrics_add(metric *value, int64_t number)
{
    atomic_fetch_add_explicit(value, number, memory_order_relaxed);
}

static int64_t get(const metric *value)
{
    return atomic_load_explicit(value, memory_order_relaxed);
}

void metrics_begin(struct metrics *metrics)
{
    metrics_set(&metrics->running, 0);
    metrics_set(&metrics->waiting, 0);
    metrics_set(&metrics->promised_bytes, 0);
    metrics_set(&metrics->connections, 0);
    metrics_set(&metrics->zygotes, 0);
    metrics_set(&metrics->parked, 0);
    metrics_set(&metrics->pid, getpid());
}

void metrics_response(struct metrics *metrics, unsigned status)
{
    if (status < METRICS_STATUSES)
        metrics_add(&metrics->responses[status], 1);
}

static void observe(struct histogram *histogram, int64_t us)
{
    size_t i = 0;
    while (us > bounds[i].us)
        i++;
    metrics_add(&histogram->buckets[i], 1);
    metrics_add(&histogram->sum_us, us);
}

/* The policy's counters, made when it is first seen. Only the element's own worker comes here. */
static struct policy_metrics *counters_of(struct metrics *metrics, const char *policy)
{
    size_t i = 0;
    struct policy_metrics *row = metrics->policies;
    for (; i < METRICS_POLICIES - 1 && get(&row[i].named) != 0; i++)
        if (strncmp(row[i].name, policy, sizeof(row[i].name) - 1) == 0)
            return &row[i];
    if (get(&row[i].named) != 0)
        return &row[i];
    const char *name = i < METRICS_POLICIES - 1 ? policy : "other";
    snprintf(row[i].name, sizeof(row[i].name), "%s", name);
    atomic_store_explicit(&row[i].named, 1, memory_order_release);
    return &row[i];
}

void metrics_job(struct metrics *metrics, const char *policy, const struct sb_verdict *verdict,
                 int64_t waited_us, int64_t took_us)
{
    metrics_add(&counters_of(metrics, policy)->jobs[verdict->word], 1);
    metrics_add(strcmp(verdict->start, "warm") == 0 ? &metrics->warm : &metrics->cold, 1);
    observe(&metrics->wait, waited_us);
    observe(&metrics->duration, took_us);
}

/* ── Adding up ───────────────────────────────────────────────────────────────────────────────── */

struct all {
    struct metrics *metrics;
    size_t workers;
    FILE *out;
};

static int64_t sum(const struct all *all, size_t offset)
{
    int64_t total = 0;
    for (size_t i = 0; i < all->workers; i++)
        total += get((const metric *)((const char *)&all->metrics[i] + offset));
    return total;
}

static void head(const struct all *all, const char *name, const char *type, const char *help)
{
    fprintf(all->out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

/* A backslash stands before backslashes and quotes. */
static void put_label(const struct all *all, const char *text)
{
    for (; *text != '\0'; text++) {
        if (*text == '\\' || *text == '"')
            fputc('\\', all->out);
        if (*text == '\n')
            fputs("\\n", all->out);
        else
            fputc(*text, all->out);
    }
}

/* The name of a row in use, NULL of another. */
static const char *name_of(const struct all *all, size_t worker, size_t policy)
{
    const struct policy_metrics *row = &all->metrics[worker].policies[policy];
    return atomic_load_explicit(&row->named, memory_order_acquire) != 0 ? row->name : NULL;
}

static bool has_name(const struct all *all, size_t worker, size_t policy, const char *name)
{
    const char *its = name_of(all, worker, policy);
    return its != NULL && strcmp(its, name) == 0;
}

/* One policy's jobs, over all workers. */
static void put_policy(const struct all *all, const char *name)
{
    for (int word = 0; word < METRICS_WORDS; word++) {
        int64_t total = 0;
        for (size_t i = 0; i < all->workers; i++)
            for (size_t j = 0; j < METRICS_POLICIES; j++)
                if (has_name(all, i, j, name))
                    total += get(&all->metrics[i].policies[j].jobs[word]);
        fputs("sandbox_jobs_total{policy=\"", all->out);
        put_label(all, name);
        fprintf(all->out, "\",verdict=\"%s\"} %" PRId64 "\n", sb_word_name((enum sb_word)word),
                total);
    }
}

/* Whether a row before this one, in any worker's element, has the same name. */
static bool seen_before(const struct all *all, size_t worker, size_t policy)
{
    const char *name = name_of(all, worker, policy);
    for (size_t i = 0; i <= worker; i++)
        for (size_t j = 0; j < (i < worker ? METRICS_POLICIES : policy); j++)
            if (has_name(all, i, j, name))
                return true;
    return false;
}

static void put_jobs(const struct all *all)
{
    head(all, "sandbox_jobs_total", "counter", "Jobs that have ended, by policy and verdict.");
    for (size_t i = 0; i < all->workers; i++)
        for (size_t j = 0; j < METRICS_POLICIES; j++)
            if (name_of(all, i, j) != NULL && !seen_before(all, i, j))
                put_policy(all, name_of(all, i, j));
}

static void put_histogram(const struct all *all, const char *name, const char *help, size_t offset)
{
    int64_t count = 0;
    head(all, name, "histogram", help);
    for (size_t i = 0; i < METRICS_BUCKETS; i++) {
        count += sum(all, offset + offsetof(struct histogram, buckets) + i * sizeof(metric));
        fprintf(all->out, "%s_bucket{le=\"%s\"} %" PRId64 "\n", name, bounds[i].seconds, count);
    }
    int64_t us = sum(all, offset + offsetof(struct histogram, sum_us));
    fprintf(all->out, "%s_sum %" PRId64 ".%06" PRId64 "\n%s_count %" PRId64 "\n", name,
            us / 1000000, us % 1000000, name, count);
}

static void put_labelled(const struct all *all)
{
    head(all, "sandbox_refused_total", "counter",
         "Requests for jobs that were not carried out, by reason.");
    for (size_t i = 0; i < REFUSALS; i++)
        fprintf(all->out, "sandbox_refused_total{reason=\"%s\"} %" PRId64 "\n", reasons[i],
                sum(all, offsetof(struct metrics, refused) + i * sizeof(metric)));
    head(all, "sandbox_jobs_started_total", "counter",
         "Jobs that have ended, by how their interpreter was started.");
    fprintf(all->out, "sandbox_jobs_started_total{start=\"warm\"} %" PRId64 "\n",
            sum(all, offsetof(struct metrics, warm)));
    fprintf(all->out, "sandbox_jobs_started_total{start=\"cold\"} %" PRId64 "\n",
            sum(all, offsetof(struct metrics, cold)));
    head(all, "sandbox_http_responses_total", "counter", "HTTP answers, by status.");
    for (size_t i = 0; i < METRICS_STATUSES; i++) {
        int64_t count = sum(all, offsetof(struct metrics, responses) + i * sizeof(metric));
        if (count > 0)
            fprintf(all->out, "sandbox_http_responses_total{status=\"%zu\"} %" PRId64 "\n", i,
                    count);
    }
}

/* Resident memory of a process, −1 when it is not there any more. */
static int64_t resident_bytes(int64_t pid)
{
    char path[48];
    long long pages = -1;
    snprintf(path, sizeof(path), "/proc/%" PRId64 "/statm", pid);
    FILE *file = fopen(path, "re");
    if (file == NULL)
        return -1;
    if (fscanf(file, "%*d %lld", &pages) != 1)
        pages = -1;
    fclose(file);
    return pages < 0 ? -1 : pages * sysconf(_SC_PAGESIZE);
}

static void put_gauges(const struct all *all)
{
    static const struct {
        const char *name, *help;
        size_t offset;
    } gauges[] = {
        {"sandbox_jobs_running", "Jobs that run now.", offsetof(struct metrics, running)},
        {"sandbox_jobs_max", "Jobs that may run at once.", offsetof(struct metrics, slots)},
        {"sandbox_queue_length", "Requests that wait for their turn.",
         offsetof(struct metrics, waiting)},
        {"sandbox_memory_promised_bytes", "Sum of the memory limits of the jobs that run.",
         offsetof(struct metrics, promised_bytes)},
        {"sandbox_memory_promised_max_bytes", "What that sum never exceeds.",
         offsetof(struct metrics, promise_limit_bytes)},
        {"sandbox_warm_zygotes", "Policies whose zygote is ready, in all workers.",
         offsetof(struct metrics, zygotes)},
        {"sandbox_warm_parked", "Interpreters that wait for a job.",
         offsetof(struct metrics, parked)},
        {"sandbox_http_connections", "Connections that are open.",
         offsetof(struct metrics, connections)},
    };
    for (size_t i = 0; i < ARRAY_LEN(gauges); i++) {
        head(all, gauges[i].name, "gauge", gauges[i].help);
        fprintf(all->out, "%s %" PRId64 "\n", gauges[i].name, sum(all, gauges[i].offset));
    }
    int64_t workers = 0, resident = 0;
    for (size_t i = 0; i < all->workers; i++) {
        int64_t pid = get(&all->metrics[i].pid);
        int64_t bytes = pid > 0 ? resident_bytes(pid) : -1;
        workers += bytes >= 0;
        resident += bytes >= 0 ? bytes : 0;
    }
    head(all, "sandbox_workers", "gauge", "Worker processes of the service.");
    fprintf(all->out, "sandbox_workers %" PRId64 "\n", workers);
    head(all, "sandbox_resident_memory_bytes", "gauge",
         "Resident memory of the workers, without their jobs'.");
    fprintf(all->out, "sandbox_resident_memory_bytes %" PRId64 "\n", resident);
    head(all, "sandbox_info", "gauge", "Always 1, with the version of the program.");
    fprintf(all->out, "sandbox_info{version=\"%s\"} 1\n", sb_version());
}

char *metrics_text(struct metrics *metrics, size_t workers)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    if (out == NULL)
        return NULL;
    const struct all all = {metrics, workers, out};
    put_jobs(&all);
    put_histogram(&all, "sandbox_job_duration_seconds", "Time from a job's start to its verdict.",
                  offsetof(struct metrics, duration));
    put_histogram(&all, "sandbox_job_wait_seconds",
                  "Time that a request waited for its job's start.",
                  offsetof(struct metrics, wait));
    put_labelled(&all);
    put_gauges(&all);
    bool failed = ferror(out) != 0;
    if (fclose(out) != 0 || failed) {
        free(text);
        return NULL;
    }
    return text;
}

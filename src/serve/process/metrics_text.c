/* Metrics of all workers, added up, as text: Prometheus' format 0.0.4,
 * https://prometheus.io/docs/instrumenting/exposition_formats/ */
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/util.h"
#include "serve/process/metrics.h"
#include "serve/process/readiness.h"

struct all {
    struct metrics *metrics;
    size_t workers;
    FILE *out;
    const struct policy_metrics **rows; /* by policy, then by worker; NULL: it has none */
    size_t policies;
};

static int64_t sum(const struct all *all, size_t offset)
{
    int64_t total = 0;
    for (size_t i = 0; i < all->workers; i++)
        total += metrics_get((const metric *)((const char *)&all->metrics[i] + offset));
    return total;
}

static void put_head(const struct all *all, const char *name, const char *type, const char *help)
{
    fprintf(all->out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

/* A counter without labels: that of all workers together. */
static void put_sum(const struct all *all, const char *name, const char *help, size_t offset)
{
    put_head(all, name, "counter", help);
    fprintf(all->out, "%s %" PRId64 "\n", name, sum(all, offset));
}

/* Escapes a label's value. */
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

static const struct policy_metrics **rows_of(const struct all *all, size_t policy)
{
    return &all->rows[policy * all->workers];
}

static const char *policy_name(const struct all *all, size_t policy)
{
    size_t i = 0;
    while (rows_of(all, policy)[i] == NULL)
        i++;
    return rows_of(all, policy)[i]->name;
}

static int64_t sum_policy(const struct all *all, size_t policy, size_t offset)
{
    int64_t total = 0;
    for (size_t i = 0; i < all->workers; i++)
        if (rows_of(all, policy)[i] != NULL)
            total += metrics_get((const metric *)((const char *)rows_of(all, policy)[i] + offset));
    return total;
}

static void put_policy_jobs(const struct all *all, size_t policy)
{
    for (size_t word = 0; word < METRICS_WORDS; word++) {
        fputs("sandbox_jobs_total{policy=\"", all->out);
        put_label(all, policy_name(all, policy));
        fprintf(
            all->out, "\",verdict=\"%s\"} %" PRId64 "\n", sb_word_name((enum sb_word)word),
            sum_policy(all, policy, offsetof(struct policy_metrics, jobs) + word * sizeof(metric)));
    }
}

static void put_jobs(const struct all *all)
{
    put_head(all, "sandbox_jobs_total", "counter", "Jobs that have ended, by policy and verdict.");
    for (size_t i = 0; i < all->policies; i++)
        put_policy_jobs(all, i);
}

static void put_sample(const struct all *all, const char *name, size_t policy, int64_t value)
{
    fprintf(all->out, "%s{policy=\"", name);
    put_label(all, policy_name(all, policy));
    fprintf(all->out, "\"} %" PRId64 "\n", value);
}

/* A histogram of all workers: what is in its buckets, not added up, and the sum of all times. */
struct sums {
    int64_t bucket[METRICS_BUCKETS], us;
};

/* Its samples; one label tells it from others of the name. */
static void put_buckets(const struct all *all, const char *name, const char *label,
                        const char *value, const struct sums *sums)
{
    int64_t count = 0;
    for (size_t i = 0; i < METRICS_BUCKETS; i++) {
        count += sums->bucket[i];
        fprintf(all->out, "%s_bucket{%s=\"", name, label);
        put_label(all, value);
        fprintf(all->out, "\",le=\"%s\"} %" PRId64 "\n", metrics_bounds[i].seconds, count);
    }
    fprintf(all->out, "%s_sum{%s=\"", name, label);
    put_label(all, value);
    fprintf(all->out, "\"} %" PRId64 ".%06" PRId64 "\n", sums->us / 1000000, sums->us % 1000000);
    fprintf(all->out, "%s_count{%s=\"", name, label);
    put_label(all, value);
    fprintf(all->out, "\"} %" PRId64 "\n", count);
}

static void put_policy_histogram(const struct all *all, const char *name, size_t policy,
                                 size_t offset)
{
    struct sums sums = {.us = sum_policy(all, policy, offset + offsetof(struct histogram, sum_us))};
    for (size_t i = 0; i < METRICS_BUCKETS; i++)
        sums.bucket[i] = sum_policy(
            all, policy, offset + offsetof(struct histogram, buckets) + i * sizeof(metric));
    put_buckets(all, name, "policy", policy_name(all, policy), &sums);
}

static void put_histogram(const struct all *all, const char *name, const char *help, size_t offset)
{
    put_head(all, name, "histogram", help);
    for (size_t i = 0; i < all->policies; i++)
        put_policy_histogram(all, name, i, offset);
}

static void put_warm(const struct all *all)
{
    static const struct {
        const char *name, *help;
        size_t offset;
    } gauges[] = {
        {"sandbox_policy_warm_zygotes", "Workers in which the policy's zygote is ready.",
         offsetof(struct policy_metrics, zygote)},
        {"sandbox_policy_warm_parked", "Interpreters that wait for a job of the policy.",
         offsetof(struct policy_metrics, parked)},
    };
    for (size_t i = 0; i < ARRAY_LEN(gauges); i++) {
        put_head(all, gauges[i].name, "gauge", gauges[i].help);
        for (size_t j = 0; j < all->policies; j++)
            put_sample(all, gauges[i].name, j, sum_policy(all, j, gauges[i].offset));
    }
}

static void put_labelled(const struct all *all)
{
    put_head(all, "sandbox_refused_total", "counter", "Requests that were refused, by reason.");
    for (size_t i = REFUSED_BY_STATUS + 1; i < REFUSALS; i++)
        fprintf(all->out, "sandbox_refused_total{reason=\"%s\"} %" PRId64 "\n",
                refusal_name((enum refusal)i),
                sum(all, offsetof(struct metrics, refused) + i * sizeof(metric)));
    put_head(all, "sandbox_jobs_started_total", "counter",
             "Jobs that have ended, by how their interpreter was started.");
    fprintf(all->out, "sandbox_jobs_started_total{start=\"warm\"} %" PRId64 "\n",
            sum(all, offsetof(struct metrics, warm)));
    fprintf(all->out, "sandbox_jobs_started_total{start=\"cold\"} %" PRId64 "\n",
            sum(all, offsetof(struct metrics, cold)));
    put_head(all, "sandbox_http_responses_total", "counter", "HTTP answers, by status.");
    for (size_t i = 0; i < METRICS_STATUSES; i++) {
        int64_t count = sum(all, offsetof(struct metrics, responses) + i * sizeof(metric));
        if (count > 0)
            fprintf(all->out, "sandbox_http_responses_total{status=\"%zu\"} %" PRId64 "\n", i,
                    count);
    }
}

static void put_streams(const struct all *all)
{
    put_sum(all, "sandbox_streams_total", "Answers that were streamed.",
            offsetof(struct metrics, streams));
}

/* When the first certificate of any worker expires. */
static int64_t certificate_expiry(const struct all *all)
{
    int64_t first = 0;
    for (size_t i = 0; i < all->workers; i++) {
        int64_t expiry = metrics_get(&all->metrics[i].certificate_expiry);
        if (expiry > 0 && (first == 0 || expiry < first))
            first = expiry;
    }
    return first;
}

static void put_readiness(const struct all *all)
{
    const struct readiness readiness = readiness_of(all->metrics, all->workers);
    put_head(all, "sandbox_ready", "gauge", "1 if GET /ready is answered with 200, else 0.");
    fprintf(all->out, "sandbox_ready %d\n", readiness.ready);
    put_head(all, "sandbox_lingering", "gauge",
             "1 while the service serves on though it has been told to stop (--linger), else 0.");
    fprintf(all->out, "sandbox_lingering %d\n", readiness.stage == STAGE_LINGERS);
}

static void put_callbacks(const struct all *all)
{
    put_head(all, "sandbox_callbacks_total", "counter",
             "Callbacks of stored jobs, by whether they were delivered or given up.");
    fprintf(all->out, "sandbox_callbacks_total{result=\"delivered\"} %" PRId64 "\n",
            sum(all, offsetof(struct metrics, callbacks_sent)));
    fprintf(all->out, "sandbox_callbacks_total{result=\"failed\"} %" PRId64 "\n",
            sum(all, offsetof(struct metrics, callbacks_failed)));
    put_head(all, "sandbox_callbacks_waiting", "gauge",
             "Callbacks that are being sent, or wait for their next try.");
    fprintf(all->out, "sandbox_callbacks_waiting %" PRId64 "\n",
            sum(all, offsetof(struct metrics, callbacks_waiting)));
}

static void put_service(const struct all *all)
{
    put_head(all, "sandbox_reloads_total", "counter",
             "Reloads by SIGHUP, one in each worker, by result.");
    fprintf(all->out, "sandbox_reloads_total{result=\"ok\"} %" PRId64 "\n",
            sum(all, offsetof(struct metrics, reloads)));
    fprintf(all->out, "sandbox_reloads_total{result=\"failed\"} %" PRId64 "\n",
            sum(all, offsetof(struct metrics, reloads) + sizeof(metric)));
    put_head(all, "sandbox_last_reload_successful", "gauge",
             "1 if the last reload succeeded in every worker, or there was none; else 0.");
    fprintf(all->out, "sandbox_last_reload_successful %d\n",
            sum(all, offsetof(struct metrics, reload_failed)) == 0);
    put_sum(all, "sandbox_worker_restarts_total", "Workers that died and were replaced.",
            offsetof(struct metrics, restarts));
    put_sum(all, "sandbox_log_records_lost_total",
            "Records of the log that were lost because nobody read them in time.",
            offsetof(struct metrics, log_lost));
    put_callbacks(all);
    if (certificate_expiry(all) == 0)
        return;
    put_head(
        all, "sandbox_certificate_expiry_timestamp_seconds", "gauge",
        "Time at which the first certificate of the chain in use expires, in seconds since 1970.");
    fprintf(all->out, "sandbox_certificate_expiry_timestamp_seconds %" PRId64 "\n",
            certificate_expiry(all));
}

/* Resident memory of a process; −1: it no longer exists. */
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

/* All workers share the store: the number that any of them knows counts once. */
static int64_t most(const struct all *all, size_t offset)
{
    int64_t number = 0;
    for (size_t i = 0; i < all->workers; i++)
        number =
            MAX(number, metrics_get((const metric *)((const char *)&all->metrics[i] + offset)));
    return number;
}

static void put_store_calls(const struct all *all)
{
    static const char name[] = "sandbox_store_call_duration_seconds";
    static const char *const calls[STORE_CALLS] = {
        [STORE_CALL_SUBMIT] = "submit", [STORE_CALL_CLAIM] = "claim",
        [STORE_CALL_FINISH] = "finish", [STORE_CALL_FAIL] = "fail",
        [STORE_CALL_GET] = "get",       [STORE_CALL_LIST] = "list",
        [STORE_CALL_CANCEL] = "cancel",
    };
    put_head(all, name, "histogram", "Time that a call of the store of jobs took, by call.");
    for (size_t call = 0; call < STORE_CALLS; call++) {
        size_t at = offsetof(struct metrics, store_calls) + call * sizeof(struct histogram);
        struct sums sums = {.us = sum(all, at + offsetof(struct histogram, sum_us))};
        for (size_t i = 0; i < METRICS_BUCKETS; i++)
            sums.bucket[i] =
                sum(all, at + offsetof(struct histogram, buckets) + i * sizeof(metric));
        put_buckets(all, name, "call", calls[call], &sums);
    }
}

static void put_store(const struct all *all)
{
    put_head(all, "sandbox_stored_jobs", "gauge",
             "Jobs of the store that have not ended, of all nodes, by state.");
    fprintf(all->out, "sandbox_stored_jobs{state=\"queued\"} %" PRId64 "\n",
            most(all, offsetof(struct metrics, store_queued)));
    fprintf(all->out, "sandbox_stored_jobs{state=\"running\"} %" PRId64 "\n",
            most(all, offsetof(struct metrics, store_running)));
    put_sum(all, "sandbox_stored_job_tries_total",
            "Stored jobs that were begun here, each time that they were.",
            offsetof(struct metrics, store_tries));
    put_sum(all, "sandbox_stored_jobs_lost_total",
            "Stored jobs that were given up here after --tries.",
            offsetof(struct metrics, store_lost));
    put_sum(all, "sandbox_store_failures_total",
            "Calls that the store of jobs could not carry out.",
            offsetof(struct metrics, store_failures));
    put_head(
        all, "sandbox_store_failing", "gauge",
        "1 if the last call of the store of jobs could not be carried out in some worker, else 0.");
    fprintf(all->out, "sandbox_store_failing %d\n",
            readiness_of(all->metrics, all->workers).store_fails);
    put_store_calls(all);
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
        {"sandbox_memory_promised_max_bytes",
         "Bound that the sum of these memory limits never exceeds.",
         offsetof(struct metrics, promise_limit_bytes)},
        {"sandbox_warm_zygotes", "Policies whose zygote is ready, in all workers.",
         offsetof(struct metrics, zygotes)},
        {"sandbox_warm_parked", "Interpreters that wait for a job.",
         offsetof(struct metrics, parked)},
        {"sandbox_http_connections", "Connections that are open.",
         offsetof(struct metrics, connections)},
        {"sandbox_streams_open", "Answers that are streamed now.",
         offsetof(struct metrics, streams_open)},
    };
    for (size_t i = 0; i < ARRAY_LEN(gauges); i++) {
        put_head(all, gauges[i].name, "gauge", gauges[i].help);
        fprintf(all->out, "%s %" PRId64 "\n", gauges[i].name, sum(all, gauges[i].offset));
    }
    int64_t workers = 0, resident = 0;
    for (size_t i = 0; i < all->workers; i++) {
        int64_t pid = metrics_get(&all->metrics[i].pid);
        int64_t bytes = pid > 0 ? resident_bytes(pid) : -1;
        workers += bytes >= 0;
        resident += bytes >= 0 ? bytes : 0;
    }
    put_head(all, "sandbox_workers", "gauge", "Worker processes of the service.");
    fprintf(all->out, "sandbox_workers %" PRId64 "\n", workers);
    put_head(all, "sandbox_resident_memory_bytes", "gauge",
             "Resident memory of the workers, without that of their jobs.");
    fprintf(all->out, "sandbox_resident_memory_bytes %" PRId64 "\n", resident);
    put_head(all, "sandbox_info", "gauge", "Always 1, with the version of the program.");
    fprintf(all->out, "sandbox_info{version=\"%s\"} 1\n", sb_version());
}

/* Lists a worker's row with those of the same policy, or as a new policy. */
static void list_row(struct all *all, size_t worker, const struct policy_metrics *row)
{
    size_t policy = 0;
    while (policy < all->policies && strcmp(policy_name(all, policy), row->name) != 0)
        policy++;
    if (policy == all->policies)
        all->policies++;
    rows_of(all, policy)[worker] = row;
}

/* False: no memory. */
static bool list_rows(struct all *all)
{
    all->rows =
        calloc(all->workers * all->workers * METRICS_POLICIES, sizeof(struct policy_metrics *));
    for (size_t i = 0; all->rows != NULL && i < all->workers; i++)
        for (size_t j = 0; j < METRICS_POLICIES; j++) {
            const struct policy_metrics *row = &all->metrics[i].policies[j];
            if (atomic_load_explicit(&row->named, memory_order_acquire) != 0)
                list_row(all, i, row);
        }
    return all->rows != NULL;
}

static void put_all(const struct all *all)
{
    put_jobs(all);
    put_histogram(all, "sandbox_job_duration_seconds", "Time from a job's start to its verdict.",
                  offsetof(struct policy_metrics, duration));
    put_histogram(all, "sandbox_job_wait_seconds",
                  "Time that a request waited for its job's start.",
                  offsetof(struct policy_metrics, wait));
    put_labelled(all);
    put_streams(all);
    put_store(all);
    put_gauges(all);
    put_warm(all);
    put_readiness(all);
    put_service(all);
}

char *metrics_text(struct metrics *metrics, size_t workers)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    if (out == NULL)
        return NULL;
    struct all all = {metrics, workers, out, NULL, 0};
    bool failed = !list_rows(&all);
    if (!failed)
        put_all(&all);
    failed = failed || ferror(out) != 0;
    free(all.rows);
    if (fclose(out) != 0 || failed) {
        free(text);
        return NULL;
    }
    return text;
}

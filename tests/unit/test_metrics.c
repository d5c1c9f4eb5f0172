/* Metrics: what is counted is added up over workers, in a form that Prometheus reads. */
#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "common/util.h"
#include "serve/process/metrics.h"
#include "serve/process/readiness.h"

enum { WORKERS = 3 };

static const struct sb_verdict *ended(enum sb_word word)
{
    static struct sb_verdict verdict;
    verdict = (struct sb_verdict){.word = word, .start = word == SB_OK ? "warm" : "cold"};
    return &verdict;
}

static void assert_has(const char *text, const char *line)
{
    char whole[256];
    snprintf(whole, sizeof(whole), "\n%s\n", line);
    if (strstr(text, whole) == NULL)
        fail_msg("no line %s in\n%s", line, text);
}

static struct metrics *make(void)
{
    struct metrics *metrics = calloc(WORKERS, sizeof(*metrics));
    assert_non_null(metrics);
    for (int i = 0; i < WORKERS; i++)
        metrics_begin(&metrics[i]);
    return metrics;
}

static void a_service_is_ready_unless_there_is_a_reason(void **state)
{
    (void)state;
    struct metrics *metrics = make();
    for (int i = 0; i < WORKERS; i++) {
        metrics_set(&metrics[i].slots, 2);
        metrics_set(&metrics[i].queue, 1);
    }
    metrics_set(&metrics[0].running, 3); /* one of them in a place beyond its slots */
    metrics_set(&metrics[1].waiting, 2);
    metrics_set(&metrics[2].promised_bytes, 1024);
    struct readiness readiness = readiness_of(metrics, WORKERS);
    assert_true(readiness.ready);
    assert_string_equal(readiness.reason, "");
    assert_int_equal(readiness.running, 3);
    assert_int_equal(readiness.slots, 6);
    assert_int_equal(readiness.queued, 2);
    assert_int_equal(readiness.promised_bytes, 1024);
    assert_int_equal(readiness_free_percent(&readiness), 50);

    metrics_set(&metrics[1].waiting, 3);
    assert_string_equal(readiness_of(metrics, WORKERS).reason, "the queue is full");
    metrics_failing(&metrics[1], "no job can run: a reason");
    readiness = readiness_of(metrics, WORKERS);
    assert_true(readiness.failing && !readiness.ready);
    assert_string_equal(readiness.reason, "no job can run: a reason");
    metrics_set(&metrics[2].stage, STAGE_LINGERS);
    assert_string_equal(readiness_of(metrics, WORKERS).reason, "the service is about to stop");
    metrics_set(&metrics[0].stage, STAGE_DRAINS);
    readiness = readiness_of(metrics, WORKERS);
    assert_int_equal(readiness.stage, STAGE_DRAINS);
    assert_string_equal(readiness.reason, "the service is stopping");

    for (int i = 0; i < WORKERS; i++)
        metrics_begin(&metrics[i]); /* as a worker does that takes a dead one's place */
    assert_true(readiness_of(metrics, WORKERS).ready);
    free(metrics);
}

static void the_free_share_is_never_nothing(void **state)
{
    (void)state;
    const struct {
        int64_t running, slots;
        int percent;
    } rows[] = {{0, 4, 100}, {1, 4, 75}, {4, 4, 1}, {5, 4, 1}, {199, 200, 1}, {0, 0, 1}};
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const struct readiness readiness = {.running = rows[i].running, .slots = rows[i].slots};
        assert_int_equal(readiness_free_percent(&readiness), rows[i].percent);
    }
}

static void counts_of_all_workers_are_added_up(void **state)
{
    (void)state;
    struct metrics *metrics = make();
    metrics_job(&metrics[0], "run", ended(SB_OK), 500, 9000);
    metrics_job(&metrics[1], "execute", ended(SB_TIMEOUT), 2000000, 5000000);
    metrics_job(&metrics[1], "run", ended(SB_OK), 0, 1000);
    metrics_job(&metrics[2], "run", ended(SB_MEMORY), 0, 100000000);
    metrics_response(&metrics[0], 200);
    metrics_response(&metrics[2], 200);
    metrics_response(&metrics[2], 503);
    metrics_response(&metrics[2], 70000); /* no status of HTTP's */
    metrics_add(&metrics[1].refused[REFUSED_QUEUE_FULL], 2);
    metrics_set(&metrics[0].running, 4);
    metrics_set(&metrics[1].running, 1);
    metrics_set(&metrics[1].waiting, 7);
    metrics_set(&metrics[2].promised_bytes, 1024);
    char *text = metrics_text(metrics, WORKERS);
    assert_non_null(text);
    static const char *const lines[] = {
        "# TYPE sandbox_jobs_total counter",
        "sandbox_jobs_total{policy=\"run\",verdict=\"ok\"} 2",
        "sandbox_jobs_total{policy=\"run\",verdict=\"memory\"} 1",
        "sandbox_jobs_total{policy=\"run\",verdict=\"internal\"} 0",
        "sandbox_jobs_total{policy=\"execute\",verdict=\"timeout\"} 1",
        "# TYPE sandbox_job_duration_seconds histogram",
        "sandbox_job_duration_seconds_bucket{policy=\"run\",le=\"0.001\"} 1",
        "sandbox_job_duration_seconds_bucket{policy=\"run\",le=\"0.005\"} 1",
        "sandbox_job_duration_seconds_bucket{policy=\"run\",le=\"0.01\"} 2",
        "sandbox_job_duration_seconds_bucket{policy=\"run\",le=\"60\"} 2",
        "sandbox_job_duration_seconds_bucket{policy=\"run\",le=\"+Inf\"} 3",
        "sandbox_job_duration_seconds_sum{policy=\"run\"} 100.010000",
        "sandbox_job_duration_seconds_count{policy=\"run\"} 3",
        "sandbox_job_duration_seconds_bucket{policy=\"execute\",le=\"2.5\"} 0",
        "sandbox_job_duration_seconds_bucket{policy=\"execute\",le=\"10\"} 1",
        "sandbox_job_duration_seconds_sum{policy=\"execute\"} 5.000000",
        "sandbox_job_wait_seconds_bucket{policy=\"run\",le=\"0.001\"} 3",
        "sandbox_job_wait_seconds_sum{policy=\"run\"} 0.000500",
        "sandbox_job_wait_seconds_count{policy=\"execute\"} 1",
        "sandbox_http_responses_total{status=\"200\"} 2",
        "sandbox_http_responses_total{status=\"503\"} 1",
        "sandbox_refused_total{reason=\"queue_full\"} 2",
        "sandbox_refused_total{reason=\"rate\"} 0",
        "sandbox_refused_total{reason=\"memory\"} 0",
        "sandbox_jobs_running 5",
        "sandbox_queue_length 7",
        "sandbox_memory_promised_bytes 1024",
        "sandbox_workers 3",
    };
    for (size_t i = 0; i < ARRAY_LEN(lines); i++)
        assert_has(text, lines[i]);
    assert_null(strstr(text, "status=\"404\""));
    free(text);
    free(metrics);
}

static void calls_of_the_store_are_counted_by_how_long_they_took(void **state)
{
    (void)state;
    struct metrics *metrics = make();
    metrics_store_call(&metrics[0], STORE_CALL_CLAIM, 800, true);
    metrics_store_call(&metrics[1], STORE_CALL_CLAIM, 30000, true);
    metrics_store_call(&metrics[2], STORE_CALL_FINISH, 90000000, false);
    metrics_begin(&metrics[0]); /* a later worker goes on counting */
    char *text = metrics_text(metrics, WORKERS);
    static const char *const lines[] = {
        "# TYPE sandbox_store_call_duration_seconds histogram",
        "sandbox_store_call_duration_seconds_bucket{call=\"claim\",le=\"0.001\"} 1",
        "sandbox_store_call_duration_seconds_bucket{call=\"claim\",le=\"0.025\"} 1",
        "sandbox_store_call_duration_seconds_bucket{call=\"claim\",le=\"0.05\"} 2",
        "sandbox_store_call_duration_seconds_bucket{call=\"claim\",le=\"+Inf\"} 2",
        "sandbox_store_call_duration_seconds_sum{call=\"claim\"} 0.030800",
        "sandbox_store_call_duration_seconds_count{call=\"claim\"} 2",
        "sandbox_store_call_duration_seconds_bucket{call=\"finish\",le=\"60\"} 0",
        "sandbox_store_call_duration_seconds_bucket{call=\"finish\",le=\"+Inf\"} 1",
        "sandbox_store_call_duration_seconds_count{call=\"cancel\"} 0",
        "sandbox_store_failures_total 2",
        "sandbox_store_failing 1",
    };
    for (size_t i = 0; i < ARRAY_LEN(lines); i++)
        assert_has(text, lines[i]);
    free(text);
    assert_true(readiness_of(metrics, WORKERS).store_fails);
    metrics_store_call(&metrics[1], STORE_CALL_CLAIM, 1, false);
    assert_false(readiness_of(metrics, WORKERS).store_fails);
    free(metrics);
}

static void a_reload_that_failed_is_told_until_one_goes_well(void **state)
{
    (void)state;
    struct metrics *metrics = make();
    char status[128];
    metrics_reload(&metrics[0], NULL);
    metrics_reload(&metrics[1], "one\nline");
    metrics_reload(&metrics[2], "another");
    metrics_status(metrics, WORKERS, status, sizeof(status));
    assert_string_equal(status, "the last reload failed in worker 1, 2: one line");
    char *text = metrics_text(metrics, WORKERS);
    assert_has(text, "sandbox_reloads_total{result=\"failed\"} 2");
    assert_has(text, "sandbox_last_reload_successful 0");
    free(text);
    metrics_reload(&metrics[1], NULL);
    metrics_begin(&metrics[2]);
    metrics_status(metrics, WORKERS, status, sizeof(status));
    assert_null(strstr(status, "failed"));
    text = metrics_text(metrics, WORKERS);
    assert_has(text, "sandbox_reloads_total{result=\"ok\"} 2");
    assert_has(text, "sandbox_last_reload_successful 1");
    free(text);
    free(metrics);
}

static void the_first_certificate_to_expire_is_told_and_nothing_where_there_is_none(void **state)
{
    (void)state;
    struct metrics *metrics = make();
    char *text = metrics_text(metrics, WORKERS);
    assert_null(strstr(text, "certificate"));
    free(text);
    metrics_set(&metrics[0].certificate_expiry, 2000);
    metrics_set(&metrics[2].certificate_expiry, 1000);
    text = metrics_text(metrics, WORKERS);
    assert_has(text, "sandbox_certificate_expiry_timestamp_seconds 1000");
    free(text);
    free(metrics);
}

static void each_policy_is_shown_once(void **state)
{
    (void)state;
    struct metrics *metrics = make();
    for (int i = 0; i < WORKERS; i++) {
        metrics_job(&metrics[i], "a\"b\\c\nd", ended(SB_OK), 0, 0);
        metrics_job(&metrics[i], "run", ended(SB_OK), 0, 0);
    }
    char *text = metrics_text(metrics, WORKERS);
    static const char line[] = "sandbox_jobs_total{policy=\"a\\\"b\\\\c\\nd\",verdict=\"ok\"} 3";
    assert_has(text, line);
    const char *first = strstr(text, line);
    assert_null(strstr(first + 1, line));
    free(text);
    free(metrics);
}

static void policies_beyond_those_that_fit_are_counted_together(void **state)
{
    (void)state;
    struct metrics *metrics = make();
    for (int i = 0; i < 2 * METRICS_POLICIES; i++) {
        char name[100];
        snprintf(name, sizeof(name), "policy-%02d-%070d", i, 0); /* longer than the place for it */
        metrics_job(&metrics[0], name, ended(SB_OK), 0, 0);
        metrics_job(&metrics[0], name, ended(SB_OK), 0, 0);
    }
    char *text = metrics_text(metrics, WORKERS), expected[100];
    snprintf(expected, sizeof(expected), "sandbox_jobs_total{policy=\"other\",verdict=\"ok\"} %d",
             2 * (METRICS_POLICIES + 1));
    assert_has(text, expected);
    free(text);
    free(metrics);
}

static void a_worker_that_begins_anew_keeps_what_was_counted(void **state)
{
    (void)state;
    struct metrics *metrics = make();
    metrics_job(&metrics[1], "run", ended(SB_OK), 0, 0);
    metrics_set(&metrics[1].running, 4);
    metrics_begin(&metrics[1]);
    metrics_job(&metrics[1], "run", ended(SB_OK), 0, 0);
    char *text = metrics_text(metrics, WORKERS);
    assert_has(text, "sandbox_jobs_total{policy=\"run\",verdict=\"ok\"} 2");
    assert_has(text, "sandbox_jobs_running 0");
    free(text);
    metrics_set(&metrics[0].pid, 0); /* not yet begun */
    text = metrics_text(metrics, WORKERS);
    assert_has(text, "sandbox_workers 2");
    free(text);
    free(metrics);
}

/* Comments stand before their samples, each sample is a name, perhaps labels, and a number. */
static void every_line_has_the_form_of_prometheus(void **state)
{
    (void)state;
    struct metrics *metrics = make();
    metrics_job(&metrics[0], "run", ended(SB_OK), 1, 1);
    char *text = metrics_text(metrics, WORKERS), family[100] = "", *rest = text, *line;
    while ((line = strsep(&rest, "\n")) != NULL && rest != NULL) {
        char name[100], kind[20];
        if (sscanf(line, "# TYPE %99s %19s", name, kind) == 2) {
            assert_string_equal(name, family); /* HELP came first */
            continue;
        }
        if (sscanf(line, "# HELP %99s ", name) == 1) {
            strcpy(family, name);
            continue;
        }
        assert_int_equal(strncmp(line, family, strlen(family)), 0);
        char *number = strrchr(line, ' '), *end;
        assert_non_null(number);
        strtod(number + 1, &end);
        assert_true(end > number + 1 && *end == '\0');
    }
    assert_string_equal(line, ""); /* ends with a newline */
    free(text);
    free(metrics);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_service_is_ready_unless_there_is_a_reason),
        cmocka_unit_test(the_free_share_is_never_nothing),
        cmocka_unit_test(counts_of_all_workers_are_added_up),
        cmocka_unit_test(calls_of_the_store_are_counted_by_how_long_they_took),
        cmocka_unit_test(a_reload_that_failed_is_told_until_one_goes_well),
        cmocka_unit_test(the_first_certificate_to_expire_is_told_and_nothing_where_there_is_none),
        cmocka_unit_test(each_policy_is_shown_once),
        cmocka_unit_test(policies_beyond_those_that_fit_are_counted_together),
        cmocka_unit_test(a_worker_that_begins_anew_keeps_what_was_counted),
        cmocka_unit_test(every_line_has_the_form_of_prometheus),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* See runner.h. A try of a job is in try.c. Callbacks of the store only take notes and set a timer
 * where they might be called from within a call of ours. */
#include "serve/jobs/runner.h"
#include "serve/jobs/callback.h"

#include <errno.h>
#include <nettle/base16.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "common/error.h"
#include "common/util.h"
#include "serve/jobs/graded_run.h"
#include "serve/jobs/jobs.h"
#include "serve/jobs/try.h"

/* How long the runner waits before it asks a store again that has failed, or tries again to get a
 * place while the host is busy. */
enum { AGAIN_MS = 1000, BUSY_MS = 200 };

/* ── Claiming ────────────────────────────────────────────────────────────────────────────────── */

static void claimed(void *user, enum store_result result, const char *message,
                    const struct store_job *jobs, size_t count)
{
    struct runner *runner = user;
    runner_note(runner, result, message);
    for (size_t i = 0; i < count; i++)
        try_begin(runner, &jobs[i]);
    /* Fewer than were asked for were all that waited; the store tells of further ones. */
    runner->maybe = runner->renewed || count >= runner->asked || result == STORE_FAILED;
    runner->claiming = false;
    if (runner->maybe)
        runner_look(runner, result == STORE_FAILED ? AGAIN_MS : 0);
}

static bool wants_jobs(const struct runner *runner)
{
    return runner->maybe && !runner->claiming && !runner->closing && !runner->failing &&
           !runner->service->config->no_run && !runner->service->draining;
}

static void claim(struct runner *runner)
{
    struct service *service = runner->service;
    enum refusal reason;
    if (!wants_jobs(runner))
        return;
    int64_t most = jobs_lack(service, &reason) == NULL ? places_free(service->places) : 0;
    if (most <= 0) { /* jobs_pump calls when a place of ours is free; it may be another worker's */
        runner_look(runner, BUSY_MS);
        return;
    }
    runner->claiming = true;
    runner->renewed = false;
    runner->asked = (size_t)most;
    runner->driver->claim(runner->store, (size_t)most, claimed, runner);
}

static void show_counts(const struct runner *runner)
{
    struct store_counts counts = runner->driver->counts(runner->store);
    struct metrics *metrics = runner->service->metrics;
    metrics_set(&metrics->store_queued, counts.queued);
    metrics_set(&metrics->store_running, counts.running);
    metrics_set(&metrics->store_lost, counts.lost);
}

void runner_pump(struct runner *runner)
{
    show_counts(runner);
    if (!runner->inside && wants_jobs(runner))
        runner_look(runner, 0);
}

void runner_drain(struct runner *runner)
{
    struct try *try;
    LIST_FOREACH(try, &runner->tries, next)
    {
        if (try->due_us > 0)
            try->due_us = 1;
    }
    callbacks_drain(runner->callbacks);
    runner_look(runner, 0);
}

void runner_give_up(struct runner *runner)
{
    runner->gives_up = true;
    runner_drain(runner);
}

static void timer_expired(void *user)
{
    struct runner *runner = user;
    runner->inside = true;
    runner->failing = false; /* it is asked again */
    try_settle_due(runner);
    claim(runner);
    jobs_pump(runner->service); /* it may have waited for us, to be idle */
    runner->inside = false;
}

/* ── What the store tells ────────────────────────────────────────────────────────────────────── */

static void store_changed(void *user)
{
    struct runner *runner = user;
    runner->maybe = runner->renewed = true;
    runner_look(runner, 0);
}

static void looked_up(void *user, enum store_result result, const char *message,
                      const struct store_job *job)
{
    struct question *question = user;
    struct try *try = try_find(question->runner, question->id);
    (void)message;
    LIST_REMOVE(question, next);
    free(question);
    if (try == NULL)
        return;
    try->cancelling = false;
    bool ours = job != NULL && job->state == STORE_RUNNING && job->tries == try->number;
    if (result == STORE_FAILED || ours || !try_runs(try))
        return;
    try_drop(try, "the job was cancelled");
}

static void store_ended(void *user, const char *id)
{
    struct runner *runner = user;
    struct try *try = try_find(runner, id);
    struct question *question = NULL;
    if (try != NULL && try_runs(try) && !try->cancelling)
        question = malloc(sizeof(*question));
    if (question != NULL) {
        try->cancelling = true;
        *question = (struct question){.runner = runner};
        memcpy(question->id, try->id, sizeof(question->id));
        LIST_INSERT_HEAD(&runner->questions, question, next);
        runner->driver->get(runner->store, try->id, try->owner, looked_up, question);
    }
    runner->ended(runner->user, id);
}

static struct try *first_running(struct runner *runner)
{
    struct try *try;
    LIST_FOREACH(try, &runner->tries, next)
    {
        if (try_runs(try))
            return try;
    }
    return NULL;
}

static void store_fenced(void *user)
{
    struct runner *runner = user;
    struct try *try;
    log_say(runner->service->log, LOG_ERR,
            "the store of jobs could not be reached in time: its jobs are killed here, as another "
            "node may run them");
    while ((try = first_running(runner)) != NULL)
        try_drop(try, "the store of jobs could not be reached");
}

/* ── Opening, closing ────────────────────────────────────────────────────────────────────────── */

static void make_node_name(const struct config *config, size_t worker, char *name, size_t size)
{
    char host[65] = "";
    uint8_t bytes[8] = {0};
    char random[BASE16_ENCODE_LENGTH(sizeof(bytes)) + 1];
    gethostname(host, sizeof(host) - 1);
    (void)!getrandom(bytes, sizeof(bytes), GRND_NONBLOCK);
    base16_encode_update(random, sizeof(bytes), bytes);
    random[sizeof(random) - 1] = '\0';
    snprintf(name, size, "%s.%zu.%s", config->node != NULL ? config->node : host, worker, random);
}

/* The service may have waited for the last one, to stop. */
static void callbacks_idle(void *user)
{
    runner_look(user, 0);
}

static int open_callbacks(struct runner *runner, struct sb_error *err)
{
    const struct service *service = runner->service;
    const struct callbacks_setup setup = {.hosts =
                                              (const char *const *)service->config->callback_hosts,
                                          .loop = service->loop,
                                          .log = service->log,
                                          .metrics = service->metrics,
                                          .first_wait_ms = CALLBACK_FIRST_WAIT_MS,
                                          .time_limit_ms = CALLBACK_TIME_LIMIT_MS,
                                          .idle = callbacks_idle,
                                          .user = runner};
    return callbacks_open(&runner->callbacks, &setup, err);
}

int runner_open(struct runner **out, const struct runner_setup *setup, struct sb_error *err)
{
    struct service *service = setup->service;
    const struct config *config = service->config;
    char node[256];
    struct runner *runner = calloc(1, sizeof(*runner));
    if (runner == NULL)
        return sb_fail(err, "memory", ENOMEM, "out of memory (the service)");
    *runner = (struct runner){.service = service,
                              .ended = setup->ended,
                              .heard = setup->heard,
                              .user = setup->user,
                              .maybe = true};
    LIST_INIT(&runner->tries);
    LIST_INIT(&runner->questions);
    make_node_name(config, setup->worker, node, sizeof(node));
    const struct store_setup store = {.address = config->store,
                                      .node = node,
                                      .bounds = {.queue = config->store_max,
                                                 .per_owner = config->store_per_owner,
                                                 .job_ttl_ms = config->job_ttl_ms,
                                                 .result_ttl_ms = config->result_ttl_ms,
                                                 .lease_ms = config->lease_ms,
                                                 .tries = config->tries},
                                      .loop = service->loop,
                                      .log = service->log,
                                      .metrics = service->metrics,
                                      .changed = store_changed,
                                      .ended = store_ended,
                                      .fenced = store_fenced,
                                      .user = runner};
    if (timer_open(&runner->timer, service->loop, timer_expired, runner) < 0) {
        free(runner);
        return sb_fail(err, "store", errno, "can't create a timer for the jobs of the store");
    }
    if (open_callbacks(runner, err) < 0 || store_open(&runner->store, &store, err) < 0) {
        runner->store = NULL;
        runner_close(runner);
        return -1;
    }
    runner->driver = store_driver(runner->store);
    *out = runner;
    return 0;
}

void runner_know_tokens(struct runner *runner, struct tokens *const *tokens)
{
    runner->tokens = tokens;
    runner_look(runner, 0);
}

int64_t runner_try(struct runner *runner, const char *id)
{
    const struct try *try = try_find(runner, id);
    return try != NULL && try_runs(try) ? try->number : 0;
}

bool runner_replay(struct runner *runner, const char *id, struct stream_place *place,
                   const struct stream_form *form, struct exchange *exchange, bool last)
{
    const struct try *try = try_find(runner, id);
    return try->graded != NULL ? graded_replay(try->graded, &place->cases, form, exchange, last)
                               : stream_replay(try->job, place, form, exchange, last);
}

struct store *runner_store(const struct runner *runner)
{
    return runner->store;
}

struct callbacks *runner_callbacks(const struct runner *runner)
{
    return runner->callbacks;
}

bool runner_is_idle(const struct runner *runner)
{
    return LIST_EMPTY(&runner->tries) && callbacks_left(runner->callbacks) == 0;
}

void runner_close(struct runner *runner)
{
    if (runner == NULL)
        return;
    struct service *service = runner->service;
    runner->closing = true;
    if (runner->store != NULL)
        runner->driver->close(runner->store);
    while (!LIST_EMPTY(&runner->tries))
        try_free(LIST_FIRST(&runner->tries));
    struct question *question;
    while ((question = LIST_FIRST(&runner->questions)) != NULL) {
        LIST_REMOVE(question, next);
        free(question);
    }
    callbacks_close(runner->callbacks);
    timer_close(&runner->timer, service->loop);
    free(runner);
}

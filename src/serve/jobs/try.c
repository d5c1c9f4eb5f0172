/* A try of a stored job: its request is read again, it runs as any other job, and the store is told
 * how it ended, until it has taken that. */
#include "serve/jobs/try.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/util.h"
#include "serve/jobs/callback.h"
#include "serve/jobs/graded_run.h"
#include "serve/jobs/jobs.h"
#include "serve/jobs/request_admit.h"
#include "serve/jobs/stored_job.h"
#include "serve/jobs/stored_request.h"

/* How long the runner waits before it tells a store again that has failed, and the longest wait
 * before a job is tried again. */
enum { AGAIN_MS = 1000, BACKOFF_MAX_MS = 30000 };

void runner_look(struct runner *runner, int64_t in_ms)
{
    if (!runner->closing)
        timer_set(&runner->timer, in_ms);
}

struct try *try_find(struct runner *runner, const char *id)
{
    struct try *try;
    LIST_FOREACH(try, &runner->tries, next)
    {
        if (strcmp(try->id, id) == 0)
            return try;
    }
    return NULL;
}

void try_free(struct try *try)
{
    LIST_REMOVE(try, next);
    free(try->owner);
    free(try->answer);
    free(try->callback_url);
    free(try->callback_secret);
    free(try);
}

/* ── Telling the store how a try ended ───────────────────────────────────────────────────────── */

void runner_note(struct runner *runner, enum store_result result, const char *message)
{
    bool fails = result == STORE_FAILED;
    if (fails && !runner->told)
        log_say(runner->service->log, LOG_ERR, "%s", message != NULL ? message : "");
    else if (!fails && runner->told)
        log_say(runner->service->log, LOG_NOTICE, "the store of jobs works again");
    runner->told = runner->failing = fails;
}

static bool store_failed(struct try *try, enum store_result result, const char *message)
{
    struct runner *runner = try->runner;
    runner_note(runner, result, message);
    if (result != STORE_FAILED)
        return false;
    if (runner->gives_up) {
        log_say(runner->service->log, LOG_ERR,
                try->settled ? "job %s: the store can't be asked for its answer, and the service "
                               "stops: no callback was sent"
                             : "job %s: the store can't be told how it ended, and the service "
                               "stops: it will run again",
                try->id);
        try_free(try);
        runner_look(runner, 0);
        return true;
    }
    try->due_us = monotonic_us() + AGAIN_MS * INT64_C(1000);
    runner_look(runner, AGAIN_MS);
    return true;
}

/* Sends what GET /jobs/ID would answer. */
static void send_callback(const struct try *try, const struct store_job *job)
{
    struct json_writer writer;
    json_begin(&writer, job->answer_size + 512);
    stored_job_write(&writer, job, true);
    size_t size = writer.size;
    _cleanup_free_ char *body = json_end(&writer);
    if (body == NULL || try->runner->callbacks == NULL) {
        log_say(try->runner->service->log, LOG_WARNING, "no callback was sent for job %s: %s",
                job->id, body == NULL ? "out of memory" : "this service has no --callback-host");
        return;
    }
    callbacks_send(try->runner->callbacks, &(struct callback){.url = try->callback_url,
                                                              .secret = try->callback_secret,
                                                              .id = job->id,
                                                              .body = body,
                                                              .size = size});
}

/* A job that was given back has perhaps not ended; one that was cancelled, its client knows of. */
static void found_for_callback(void *user, enum store_result result, const char *message,
                               const struct store_job *job)
{
    struct try *try = user;
    struct runner *runner = try->runner;
    if (store_failed(try, result, message))
        return;
    if (job != NULL && (job->state == STORE_DONE || job->state == STORE_LOST))
        send_callback(try, job);
    try_free(try);
    runner_look(runner, 0);
}

static void settled(void *user, enum store_result result, const char *message)
{
    struct try *try = user;
    struct runner *runner = try->runner;
    if (store_failed(try, result, message))
        return;
    if (result == STORE_OK && try->callback_url != NULL) {
        try->settled = true;
        runner->driver->get(runner->store, try->id, try->owner, found_for_callback, try);
        return;
    }
    if (result == STORE_NONE)
        log_say(runner->service->log, LOG_NOTICE,
                "job %s: the answer of try %" PRId64 " no longer counts: it was cancelled, has "
                "expired, or another node has run it since",
                try->id, try->number);
    try_free(try);
    runner_look(runner, 0);
}

static void settle(struct try *try)
{
    struct runner *runner = try->runner;
    try->due_us = 0;
    if (try->settled) {
        runner->driver->get(runner->store, try->id, try->owner, found_for_callback, try);
        return;
    }
    if (try->given_back)
        (runner->driver->fail)(runner->store, try->id, try->number, try->counts, try->reason,
                               settled, try);
    else
        runner->driver->finish(runner->store, try->id, try->number, try->answer, try->answer_size,
                               (int)try->status, settled, try);
}

void try_give_back(struct try *try, bool counts, const char *reason)
{
    try->job = NULL;
    try->graded = NULL;
    try->given_back = true;
    try->counts = counts;
    snprintf(try->reason, sizeof(try->reason), "%s", reason != NULL ? reason : "");
    if (!counts) {
        settle(try);
        return;
    }
    /* What failed now would fail again at once. */
    int64_t wait_ms = AGAIN_MS << MIN(try->number - 1, 5);
    try->due_us = monotonic_us() + MIN(wait_ms, BACKOFF_MAX_MS) * 1000;
    runner_look(try->runner, MIN(wait_ms, BACKOFF_MAX_MS));
}

void try_answer(struct try *try, char *text, unsigned status)
{
    try->job = NULL;
    try->graded = NULL;
    try->answer = text != NULL ? stored_answer_write(text, try->base64, &try->answer_size) : NULL;
    free(text);
    if (try->answer == NULL) {
        try_give_back(try, true, "out of memory (its answer)");
        return;
    }
    try->status = status;
    settle(try);
}

void try_settle_due(struct runner *runner)
{
    struct try *try, *next;
    int64_t now_us = monotonic_us();
    for (try = LIST_FIRST(&runner->tries); try != NULL; try = next) {
        next = LIST_NEXT(try, next);
        if (try->due_us > 0 && try->due_us <= now_us)
            settle(try);
        else if (try->due_us > 0)
            runner_look(runner, (try->due_us - now_us) / 1000 + 1);
    }
}

/* ── As a requester ──────────────────────────────────────────────────────────────────────────── */

static struct answer compose(struct service_job *job, const struct sb_verdict *verdict)
{
    struct try *try = job->owner;
    struct answer composed = {0};
    if (try == NULL)
        return composed;
    composed.text = contract_answer(job->contract, verdict, job->flags, &composed.status);
    try->given_back = job->killed || verdict->host_busy || verdict->word == SB_INTERNAL;
    try->counts = !job->killed;
    if (try->given_back)
        snprintf(try->reason, sizeof(try->reason), "%s",
                 verdict->error != NULL ? verdict->error : "the sandbox failed");
    return composed;
}

static void deliver(void *owner, struct answer *composed)
{
    struct try *try = owner;
    if (!try->given_back) {
        try_answer(try, composed->text, composed->status);
        return;
    }
    char reason[sizeof(try->reason)];
    memcpy(reason, try->reason, sizeof(reason));
    free(composed->text);
    try_give_back(try, try->counts, reason);
}

static void refuse(void *owner, enum contract_id contract, enum refusal reason, const char *message)
{
    (void)contract, (void)reason;
    try_give_back(owner, false, message);
}

static void forget(void *owner)
{
    try_give_back(owner, false, "the service was closed");
}

static const struct requester stored = {compose, deliver, refuse, forget, NULL, NULL};

/* ── A try ───────────────────────────────────────────────────────────────────────────────────── */

void try_refuse(struct try *try, unsigned status, const char *field, const char *message)
{
    try_answer(try, contract_refusal(NATIVE, field, message), status);
}

/* The client of a job, by its owner's name: with what its token allows today. */
static bool know_client(struct try *try, const struct stored_request *stored_request,
                        const struct token **token, struct client *client)
{
    static const char prefix[] = "token ";
    const struct runner *runner = try->runner;
    const struct tokens *tokens = runner->tokens != NULL ? *runner->tokens : NULL;
    bool named = strncmp(try->owner, prefix, sizeof(prefix) - 1) == 0;
    *client = (struct client){.key = try->owner, .address = stored_request->address};
    *token = NULL;
    if (tokens == NULL)
        return true;
    *token = named ? tokens_named(tokens, try->owner + sizeof(prefix) - 1) : NULL;
    if (*token == NULL)
        return false;
    client->token = (*token)->name;
    client->policy = (*token)->policy[0] != '\0' ? (*token)->policy : NULL;
    client->jobs = (*token)->jobs;
    return true;
}

/* Its body is taken over. 0, or the status of its refusal. */
static unsigned read_request(struct try *try, struct stored_request *from,
                             const struct client *client, struct request *request,
                             const struct sb_policy **policy, struct sb_error *err)
{
    int result;
    if (from->boundary[0] != '\0') {
        result =
            request_read_form(request, ENDPOINT_JOBS, from->boundary, from->body, from->size, err);
        request->form = steal_ptr(from->body);
    } else {
        result = request_read(request, ENDPOINT_JOBS, from->body, from->size, err);
    }
    if (result < 0)
        return 400;
    return (unsigned)request_admit(try->runner->service, client, request, policy, err);
}

static void heard(void *user, bool last)
{
    const struct try *try = user;
    try->runner->heard(try->runner->user, try->id, last);
}

static void enter_job(struct try *try, const struct job_origin *origin)
{
    char text[200];
    struct service_job *job = job_make(try->runner->service, origin);
    if (job == NULL) {
        try_give_back(try, true, "out of memory (the job)");
        return;
    }
    if (job_never_fits(job, text, sizeof(text))) {
        job_free(job);
        try_refuse(try, 400, "limits.memory_bytes", text);
        return;
    }
    job_give_stream(job, stream_record(heard, try));
    try->job = job;
    if (job->stream != NULL && job_enter(job) != JOB_NOT_ENTERED)
        return; /* it may have ended already */
    job_free(job);
    try_give_back(try, true, "out of memory (the job)");
}

static void enter(struct try *try, const struct client *client, struct request *request,
                  const struct sb_policy *policy, size_t size)
{
    const struct job_origin origin = {.requester = &stored,
                                      .owner = try,
                                      .client = client,
                                      .id = try->id,
                                      .endpoint = "POST /jobs",
                                      .request = request,
                                      .policy = policy,
                                      .policies = try->runner->service->policies,
                                      .size = size};
    try->base64 = request->base64;
    if (request->cases.count > 0)
        try_enter_graded(try, &origin);
    else
        enter_job(try, &origin);
}

static bool keep_callback(struct try *try, const struct request *request)
{
    if (request->callback_url == NULL || request->callback_secret == NULL)
        return true;
    try->callback_url = strdup(request->callback_url);
    try->callback_secret = strdup(request->callback_secret);
    return try->callback_url != NULL && try->callback_secret != NULL;
}

static void run_try(struct try *try, const struct store_job *claimed)
{
    struct stored_request from;
    struct request request;
    struct sb_error err;
    struct client client;
    const struct token *token;
    const struct sb_policy *policy = NULL;
    if (stored_request_read(&from, claimed->request, claimed->request_size, &err) < 0) {
        try_refuse(try, 400, NULL, err.message);
        return;
    }
    if (!know_client(try, &from, &token, &client)) {
        try_refuse(try, 403, NULL,
                   "the token that sent this job is no longer valid: send it again "
                   "with another");
        free(from.body);
        return;
    }
    size_t size = from.size;
    unsigned status = read_request(try, &from, &client, &request, &policy, &err);
    if (!keep_callback(try, &request))
        try_give_back(try, true, "out of memory (its callback)");
    else if (status == 0)
        enter(try, &client, &request, policy, size);
    else
        try_refuse(try, status, err.field, err.message);
    request_free(&request);
    free(from.body);
}

bool try_runs(const struct try *try)
{
    return try->job != NULL || try->graded != NULL;
}

void try_drop(struct try *try, const char *why)
{
    struct service_job *job = try->job;
    struct graded *graded = try->graded;
    if (job != NULL)
        stream_unheard(job->stream);
    try_free(try);
    if (job != NULL)
        job_abandon(job, why);
    else
        graded_abandon(graded, why);
}

/* The store gave up an older try of ours, and gave the job to us again. */
static void drop_older(struct runner *runner, const char *id)
{
    struct try *older = try_find(runner, id);
    if (older == NULL || !try_runs(older))
        return;
    log_say(runner->service->log, LOG_NOTICE,
            "job %s: its try %" PRId64 " was given up by the store and is ended: it is tried again "
            "here",
            id, older->number);
    try_drop(older, "it is tried again");
}

void try_begin(struct runner *runner, const struct store_job *claimed)
{
    drop_older(runner, claimed->id);
    struct try *try = calloc(1, sizeof(*try));
    char *owner = strdup(claimed->owner);
    if (try == NULL || owner == NULL) {
        /* The store gives it to another node when this one is found to be silent. */
        log_say(runner->service->log, LOG_ERR, "out of memory: job %s is left alone", claimed->id);
        free(try);
        free(owner);
        return;
    }
    *try = (struct try){.runner = runner, .owner = owner, .number = claimed->tries};
    snprintf(try->id, sizeof(try->id), "%s", claimed->id);
    LIST_INSERT_HEAD(&runner->tries, try, next);
    metrics_add(&runner->service->metrics->store_tries, 1);
    run_try(try, claimed);
}

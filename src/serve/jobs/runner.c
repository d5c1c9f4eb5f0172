/* See runner.h. Callbacks of the store only take notes and set a timer where they might be called
 * from within a call of ours. */
#include "serve/jobs/runner.h"

#include <errno.h>
#include <inttypes.h>
#include <nettle/base16.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/random.h>

#include "common/error.h"
#include "common/util.h"
#include "serve/jobs/jobs.h"
#include "serve/jobs/request_admit.h"
#include "serve/jobs/stored_request.h"

/* How long the runner waits before it asks a store again that has failed, or tries again to get a
 * place while the host is busy; and the longest wait before a job is tried again. */
enum { AGAIN_MS = 1000, BUSY_MS = 200, BACKOFF_MAX_MS = 30000 };

/* A try of a job, from its claim until the store knows how it ended. */
struct
try {
    LIST_ENTRY(try) next;
    struct runner *runner;
    char id[STORE_ID_SIZE];
    char *owner;
    int64_t number;
    struct service_job *job; /* NULL: it has ended, */
    bool given_back;         /* without an answer: the job is queued again, */
    bool counts;             /* … and that counts as a loss; */
    char reason[256];
    bool base64; /* or with one, whose output is in base64 */
    char *answer;
    size_t answer_size;
    unsigned status;
    int64_t due_us;  /* when the store is told; 0: it is being told */
    bool cancelling; /* the store is asked whether it was cancelled */
};

/* Whether a try still counts: asked of the store. */
struct question {
    LIST_ENTRY(question) next;
    struct runner *runner;
    char id[STORE_ID_SIZE];
};

struct runner {
    struct service *service;
    const struct store_driver *driver;
    struct store *store;
    struct timer timer;
    LIST_HEAD(, try) tries;
    struct tokens *const *tokens; /* NULL: not known yet */
    bool claiming;
    bool maybe;   /* jobs may wait in the store */
    bool renewed; /* that became so while they were being claimed */
    bool failing; /* the store's last answer was that it can't; until the timer expires */
    bool told;    /* of that, in the log */
    bool closing;
    bool inside; /* timer_expired */
    LIST_HEAD(, question) questions;
    void (*ended)(void *user, const char *id);
    void (*heard)(void *user, const char *id, bool last);
    bool (*watches)(void *user, const char *id);
    void *user;
};

static void look_again(struct runner *runner, int64_t in_ms)
{
    if (!runner->closing)
        timer_set(&runner->timer, in_ms);
}

static struct try *find(struct runner *runner, const char *id)
{
    struct try *try;
    LIST_FOREACH(try, &runner->tries, next)
    {
        if (strcmp(try->id, id) == 0)
            return try;
    }
    return NULL;
}

static void unwatch(struct runner *runner, const char *id)
{
    if (!runner->watches(runner->user, id))
        runner->driver->watch(runner->store, id, false);
}

static void free_try(struct try *try)
{
    LIST_REMOVE(try, next);
    free(try->owner);
    free(try->answer);
    free(try);
}

/* ── Telling the store how a try ended ───────────────────────────────────────────────────────── */

static void note_health(struct runner *runner, enum store_result result, const char *message)
{
    bool fails = result == STORE_FAILED;
    if (fails && !runner->told)
        log_say(runner->service->log, LOG_ERR, "%s", message != NULL ? message : "");
    else if (!fails && runner->told)
        log_say(runner->service->log, LOG_NOTICE, "the store of jobs works again");
    runner->told = runner->failing = fails;
    metrics_add(&runner->service->metrics->store_failures, fails);
}

static void settled(void *user, enum store_result result, const char *message)
{
    struct try *try = user;
    struct runner *runner = try->runner;
    note_health(runner, result, message);
    if (result == STORE_FAILED) {
        try->due_us = monotonic_us() + AGAIN_MS * INT64_C(1000);
        look_again(runner, AGAIN_MS);
        return;
    }
    if (result == STORE_NONE)
        log_say(runner->service->log, LOG_NOTICE,
                "job %s: the answer of try %" PRId64 " no longer counts: it was cancelled, has "
                "expired, or another node has run it since",
                try->id, try->number);
    free_try(try);
    look_again(runner, 0);
}

static void settle(struct try *try)
{
    struct runner *runner = try->runner;
    try->due_us = 0;
    unwatch(runner, try->id);
    if (try->given_back)
        (runner->driver->fail)(runner->store, try->id, try->number, try->counts, try->reason,
                               settled, try);
    else
        runner->driver->finish(runner->store, try->id, try->number, try->answer, try->answer_size,
                               (int)try->status, settled, try);
}

static void give_back(struct try *try, bool counts, const char *reason)
{
    try->job = NULL;
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
    look_again(try->runner, MIN(wait_ms, BACKOFF_MAX_MS));
}

/* `text` is taken over. */
static void answer(struct try *try, char *text, unsigned status)
{
    try->job = NULL;
    try->answer = text != NULL ? stored_answer_write(text, try->base64, &try->answer_size) : NULL;
    free(text);
    if (try->answer == NULL) {
        give_back(try, true, "out of memory (its answer)");
        return;
    }
    try->status = status;
    settle(try);
}

static void settle_due(struct runner *runner)
{
    struct try *try, *next;
    int64_t now_us = monotonic_us();
    for (try = LIST_FIRST(&runner->tries); try != NULL; try = next) {
        next = LIST_NEXT(try, next);
        if (try->due_us > 0 && try->due_us <= now_us)
            settle(try);
        else if (try->due_us > 0)
            look_again(runner, (try->due_us - now_us) / 1000 + 1);
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
        answer(try, composed->text, composed->status);
        return;
    }
    char reason[sizeof(try->reason)];
    memcpy(reason, try->reason, sizeof(reason));
    free(composed->text);
    give_back(try, try->counts, reason);
}

static void refuse(void *owner, enum contract_id contract, enum refusal reason, const char *message)
{
    (void)contract, (void)reason;
    give_back(owner, false, message);
}

static void forget(void *owner)
{
    give_back(owner, false, "the service was closed");
}

static const struct requester stored = {compose, deliver, refuse, forget};

/* ── A try ───────────────────────────────────────────────────────────────────────────────────── */

static void refuse_try(struct try *try, unsigned status, const char *field, const char *message)
{
    answer(try, contract_refusal(NATIVE, field, message), status);
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
        result = request_read_form(request, from->boundary, from->body, from->size, err);
        request->form = steal_ptr(from->body);
    } else {
        result = request_read(request, ENDPOINT_RUN, from->body, from->size, err);
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

static void enter(struct try *try, const struct client *client, struct request *request,
                  const struct sb_policy *policy, size_t size)
{
    char text[200];
    struct service *service = try->runner->service;
    const struct job_origin origin = {.requester = &stored,
                                      .owner = try,
                                      .client = client,
                                      .id = try->id,
                                      .endpoint = "POST /jobs",
                                      .request = request,
                                      .policy = policy,
                                      .size = size};
    try->base64 = request->base64;
    struct service_job *job = job_make(service, &origin);
    if (job == NULL) {
        give_back(try, true, "out of memory (the job)");
        return;
    }
    if (job_never_fits(job, text, sizeof(text))) {
        job_free(job);
        refuse_try(try, 400, "limits.memory_bytes", text);
        return;
    }
    job->stream = stream_record(heard, try);
    try->job = job;
    if (job->stream != NULL && job_enter(job) != JOB_NOT_ENTERED)
        return; /* it may have ended already */
    job_free(job);
    give_back(try, true, "out of memory (the job)");
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
        refuse_try(try, 400, NULL, err.message);
        return;
    }
    if (!know_client(try, &from, &token, &client)) {
        refuse_try(try, 403, NULL,
                   "the token that sent this job is no longer valid: send it again "
                   "with another");
        free(from.body);
        return;
    }
    size_t size = from.size;
    unsigned status = read_request(try, &from, &client, &request, &policy, &err);
    if (status == 0)
        enter(try, &client, &request, policy, size);
    else
        refuse_try(try, status, err.field, err.message);
    request_free(&request);
    free(from.body);
}

static void begin_try(struct runner *runner, const struct store_job *claimed)
{
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
    runner->driver->watch(runner->store, try->id, true);
    run_try(try, claimed);
}

/* The job of a try has been cancelled, or given to another node. */
static void drop_try(struct try *try, const char *why)
{
    struct service_job *job = try->job;
    stream_unheard(job->stream);
    unwatch(try->runner, try->id);
    free_try(try);
    job_abandon(job, why);
}

/* ── Claiming ────────────────────────────────────────────────────────────────────────────────── */

static void claimed(void *user, enum store_result result, const char *message,
                    const struct store_job *jobs, size_t count)
{
    struct runner *runner = user;
    note_health(runner, result, message);
    for (size_t i = 0; i < count; i++)
        begin_try(runner, &jobs[i]);
    runner->maybe = runner->renewed || count > 0 || result == STORE_FAILED;
    runner->claiming = false;
    if (runner->maybe)
        look_again(runner, result == STORE_FAILED ? AGAIN_MS : 0);
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
        look_again(runner, BUSY_MS);
        return;
    }
    runner->claiming = true;
    runner->renewed = false;
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
        look_again(runner, 0);
}

void runner_drain(struct runner *runner)
{
    struct try *try;
    LIST_FOREACH(try, &runner->tries, next)
    {
        if (try->due_us > 0)
            try->due_us = 1;
    }
    look_again(runner, 0);
}

static void timer_expired(void *user)
{
    struct runner *runner = user;
    runner->inside = true;
    runner->failing = false; /* it is asked again */
    settle_due(runner);
    claim(runner);
    jobs_pump(runner->service); /* it may have waited for us, to be idle */
    runner->inside = false;
}

/* ── What the store tells ────────────────────────────────────────────────────────────────────── */

static void store_changed(void *user)
{
    struct runner *runner = user;
    runner->maybe = runner->renewed = true;
    look_again(runner, 0);
}

static void looked_up(void *user, enum store_result result, const char *message,
                      const struct store_job *job)
{
    struct question *question = user;
    struct try *try = find(question->runner, question->id);
    (void)message;
    LIST_REMOVE(question, next);
    free(question);
    if (try == NULL)
        return;
    try->cancelling = false;
    bool ours = job != NULL && job->state == STORE_RUNNING && job->tries == try->number;
    if (result == STORE_FAILED || ours || try->job == NULL)
        return;
    drop_try(try, "the job was cancelled");
}

static void store_ended(void *user, const char *id)
{
    struct runner *runner = user;
    struct try *try = find(runner, id);
    struct question *question = NULL;
    if (try != NULL && try->job != NULL && !try->cancelling)
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
        if (try->job != NULL)
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
        drop_try(try, "the store of jobs could not be reached");
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
                              .watches = setup->watches,
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
                                      .changed = store_changed,
                                      .ended = store_ended,
                                      .fenced = store_fenced,
                                      .user = runner};
    if (timer_open(&runner->timer, service->loop, timer_expired, runner) < 0) {
        free(runner);
        return sb_fail(err, "store", errno, "can't create a timer for the jobs of the store");
    }
    if (store_open(&runner->store, &store, err) < 0) {
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
    look_again(runner, 0);
}

struct service_job *runner_job(struct runner *runner, const char *id, int64_t *number)
{
    const struct try *try = find(runner, id);
    if (try == NULL || try->job == NULL)
        return NULL;
    *number = try->number;
    return try->job;
}

struct store *runner_store(const struct runner *runner)
{
    return runner->store;
}

bool runner_is_idle(const struct runner *runner)
{
    return LIST_EMPTY(&runner->tries);
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
        free_try(LIST_FIRST(&runner->tries));
    struct question *question;
    while ((question = LIST_FIRST(&runner->questions)) != NULL) {
        LIST_REMOVE(question, next);
        free(question);
    }
    timer_close(&runner->timer, service->loop);
    free(runner);
}

/* A job's way through the service: it waits, runs, is answered and logged, or nobody waits for it
 * any more before that. Everything here happens between two turns of the loop; nothing blocks. */
#include <nettle/base16.h>
#include <nettle/sha2.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/quantity.h"
#include "common/util.h"
#include "serve/jobs/client_copy.h"
#include "serve/jobs/graded.h"
#include "serve/jobs/job_log.h"
#include "serve/jobs/jobs.h"
#include "serve/jobs/memory.h"
#include "serve/jobs/runner.h"
#include "serve/jobs/spilled.h"
#include "serve/jobs/write_hint.h"

/* How often the CPU demand of jobs is measured while others wait. */
#define LOOK_US INT64_C(50000)
/* The CPU demand that a job is assumed to have until it is measured, which most jobs are too short
 * for: so that a hundred jobs that come at once, and want one CPU each, are not all started. */
#define UNKNOWN_MILLICPUS INT64_C(250)
/* Of so many jobs it is measured at once, so that no turn of the loop takes long. */
enum { LOOKED_AT = 256 };

static struct service_job *job_of(struct ticket *ticket)
{
    return (struct service_job *)ticket;
}

/* ── The end of a job ────────────────────────────────────────────────────────────────────────── */

/* A job that job_enter has made enter, while that has not returned. */
struct entering {
    const struct service_job *job;
    enum job_entered entered;
    struct entering *outer;
};

/* Tells job_enter, if it has not returned yet. */
static void goes_on(const struct service_job *job)
{
    for (struct entering *at = job->service->entering; at != NULL; at = at->outer)
        if (at->job == job)
            at->entered = JOB_GOES_ON;
}

void job_free(struct service_job *job)
{
    TAILQ_REMOVE(&job->service->jobs, job, all);
    if (job->stream != NULL)
        TAILQ_REMOVE(&job->service->streams, job, in_streams);
    goes_on(job);
    spilled_free(job);
    policies_release(job->policies);
    stream_release(job->stream);
    client_free(&job->client);
    free(job->code);
    free(job);
}

static void free_waiting(struct service_job *job)
{
    places_leave(job->service->places, &job->ticket, monotonic_us());
    job_free(job);
}

static void refuse_waiting(struct ticket *ticket, enum refusal reason, const char *message)
{
    struct service_job *job = job_of(ticket);
    const struct requester *requester = job->requester;
    enum contract_id contract = job->contract;
    void *owner = job->owner;
    if (stream_has_begun(job)) {
        stream_refuse(job, reason, message);
        owner = NULL;
    }
    free_waiting(job);
    if (owner != NULL)
        requester->refuse(owner, contract, reason, message);
}

/* Called from sb_turn, or after a start that failed. */
static void finish_job(void *user, const struct sb_verdict *given)
{
    struct service_job *job = user;
    struct sb_verdict verdict = *given;
    if (job->stream != NULL)
        stream_complete(job, &verdict);
    _cleanup_free_ char *hint = write_hint(job, &verdict);
    if (hint != NULL)
        verdict.error = hint;
    struct service *service = job->service;
    const struct requester *requester = job->requester;
    void *owner = job->owner;
    int64_t now = monotonic_us();
    struct answer answer = requester->compose(job, &verdict);

    job_log(job, &verdict, answer.status);
    metrics_job(service->metrics, sb_policy_name(job->policy), &verdict,
                job->ticket.started_us - job->ticket.entered_us, now - job->ticket.started_us);
    if (verdict.word == SB_INTERNAL)
        health_doubt(service);
    if (job->ticket.state == TICKET_RUNNING)
        TAILQ_REMOVE(&service->running, job, in_running);
    places_leave(service->places, &job->ticket, now);
    job_free(job);
    if (owner != NULL && !answer.delivered)
        requester->deliver(owner, &answer);
}

void job_abandon(struct service_job *job, const char *reason)
{
    struct service *service = job->service;
    job->owner = NULL;
    job->exchange = NULL;
    if (job->run != NULL)
        sb_kill(job->run, SIGKILL, reason);
    else
        free_waiting(job);
    jobs_pump(service);
}

/* ── Its beginning ───────────────────────────────────────────────────────────────────────────── */

/* A start that fails is a verdict like any other, with the sandbox at fault. */
static void finish_unstarted(struct service_job *job, const struct sb_error *err)
{
    const struct sb_verdict verdict = sb_verdict_unstarted(job->id, err->message);
    finish_job(job, &verdict);
}

static void start_job(struct service_job *job)
{
    struct sb_error err;
    struct sb_job *asked = &job->request.job;
    TAILQ_INSERT_TAIL(&job->service->running, job, in_running);
    goes_on(job);
    if (spilled_leave(job, &err) < 0) {
        finish_unstarted(job, &err);
        return;
    }
    asked->id = job->id;
    asked->on_done = finish_job;
    asked->on_output = job->stream != NULL ? stream_output : NULL;
    asked->on_display = job->stream != NULL ? stream_display : NULL;
    asked->user = job;
    if (sb_start(job->service->sandbox, asked, &job->run, &err) < 0) {
        finish_unstarted(job, &err);
        return;
    }
    if (job->stream != NULL)
        stream_start(job);
    spilled_free(job); /* the sandbox has its own copy */
    if (job->owner != NULL && job->requester->started != NULL)
        job->requester->started(job->owner);
}

/* Keeps the code's hash and length for the log; with log_code also the code. −1: out of memory. */
static int remember_code(struct service_job *job)
{
    const struct sb_job *asked = &job->request.job;
    struct sha256_ctx sha256;
    uint8_t digest[SHA256_DIGEST_SIZE];
    sha256_init(&sha256);
    sha256_update(&sha256, asked->code_size, asked->code);
    sha256_digest(&sha256, sizeof(digest), digest);
    base16_encode_update(job->code_sha256, sizeof(digest), digest);
    job->code_size = asked->code_size;
    if (!job->service->config->log_code)
        return 0;
    job->code = malloc(asked->code_size + 1);
    if (job->code == NULL)
        return -1;
    memcpy(job->code, asked->code, asked->code_size);
    job->code[asked->code_size] = '\0';
    return 0;
}

struct service_job *job_make(struct service *service, const struct job_origin *origin)
{
    struct request *request = origin->request;
    struct service_job *job = calloc(1, sizeof(*job));
    if (job == NULL)
        return NULL;
    *job = (struct service_job){.service = service,
                                .requester = origin->requester,
                                .owner = origin->owner,
                                .request = *request,
                                .contract = request->contract,
                                .flags = SB_JSON_SPEND | (request->base64 ? SB_JSON_BASE64 : 0u),
                                .policy = origin->policy,
                                .policies = policies_use(origin->policies)};
    *request = (struct request){.contract = job->contract};
    snprintf(job->id, sizeof(job->id), "%s", origin->id);
    snprintf(job->endpoint, sizeof(job->endpoint), "%s", origin->endpoint);
    TAILQ_INSERT_TAIL(&service->jobs, job, all);

    int64_t asked = job->request.job.limits.value[SB_MEMORY_BYTES];
    job->ticket.memory_bytes =
        asked != SB_UNSET ? asked : sb_policy_limit(job->policy, SB_MEMORY_BYTES);
    job->ticket.millicpus = UNKNOWN_MILLICPUS;
    job->ticket.size = 2 * (int64_t)origin->size; /* the body, and what was read from it */
    if (client_copy(&job->client, origin->client) == 0 && remember_code(job) == 0)
        return job;
    job_free(job);
    return NULL;
}

const char *jobs_lack(struct service *service, enum refusal *reason)
{
    *reason = service->draining ? REFUSED_STOPPING : REFUSED_MEMORY;
    return service->draining ? "the service is stopping" : memory_lack(service, false);
}

void job_give_stream(struct service_job *job, struct job_stream *stream)
{
    job->stream = stream;
    job->watched = stream != NULL;
    if (stream != NULL)
        TAILQ_INSERT_TAIL(&job->service->streams, job, in_streams);
}

bool job_never_fits(const struct service_job *job, char *text, size_t size)
{
    if (job->ticket.memory_bytes <= job->service->bounds.memory_bytes)
        return false;
    char asked[QUANTITY_TEXT_SIZE], all[QUANTITY_TEXT_SIZE];
    snprintf(text, size,
             "memory_bytes is %s, more than this service gives to all jobs together (%s): ask for "
             "less",
             quantity_text(asked, "bytes", job->ticket.memory_bytes),
             quantity_text(all, "bytes", job->service->bounds.memory_bytes));
    return true;
}

enum job_entered job_enter(struct service_job *job)
{
    struct service *service = job->service;
    if (places_enter(service->places, &job->ticket, job->client.key, job->client.jobs, job->watched,
                     monotonic_us()) < 0)
        return JOB_NOT_ENTERED;
    struct entering entering = {job, JOB_WAITS, service->entering};
    service->entering = &entering;
    jobs_pump(service);
    service->entering = entering.outer;
    if (entering.entered == JOB_WAITS && places_waits(service->places, &job->ticket))
        job_waits(service, &job->ticket);
    return entering.entered;
}

void job_waits(void *user, struct ticket *ticket)
{
    (void)user;
    struct service_job *job = job_of(ticket);
    if (job->requester->waits != NULL)
        job->requester->waits(job);
}

/* ── All of them ─────────────────────────────────────────────────────────────────────────────── */

static void show_counts(struct service *service)
{
    struct admit_counts counts = places_counts(service->places);
    metrics_set(&service->metrics->running, counts.running);
    metrics_set(&service->metrics->waiting, counts.waiting);
    metrics_set(&service->metrics->promised_bytes, counts.promised_bytes);
}

/* Measures the CPU demand of jobs, while others wait for their turn. */
static void look_at_demand(struct service *service)
{
    struct service_job *job, *last = TAILQ_LAST(&service->running, running);
    int64_t now = monotonic_us();
    if (last == NULL || !places_wanted(service->places) || now - service->looked_us < LOOK_US)
        return;
    service->looked_us = now;
    for (int i = 0; i < LOOKED_AT; i++) {
        job = TAILQ_FIRST(&service->running);
        TAILQ_REMOVE(&service->running, job, in_running);
        TAILQ_INSERT_TAIL(&service->running, job, in_running);
        int64_t demand = job->run != NULL ? sb_demand(job->run) : -1;
        if (demand >= 0)
            places_want(service->places, &job->ticket, demand);
        if (job == last)
            break;
    }
}

static int64_t sooner(int64_t a, int64_t b)
{
    return a < 0 || (b >= 0 && b < a) ? b : a;
}

static void set_timer(struct service *service)
{
    int64_t now = monotonic_us(), next_us = places_change_us(service->places);
    if (places_demand_wanted(service->places))
        next_us = sooner(next_us, service->looked_us + LOOK_US);
    if (service->low) /* also while nobody waits here: other workers are held, too */
        next_us = sooner(next_us, now + LOOK_US);
    int64_t in_ms = (next_us - now + 999) / 1000;
    timer_set(&service->queue_timer, next_us < 0 ? -1 : in_ms < 0 ? 0 : in_ms);
}

static void start_and_refuse(struct service *service)
{
    struct ticket *ticket;
    enum place_refusal why;
    look_at_demand(service);
    memory_lack(service, false);
    while ((ticket = places_next(service->places, monotonic_us())) != NULL)
        start_job(job_of(ticket));
    while ((ticket = places_refused(service->places, monotonic_us(), &why)) != NULL)
        if (why == PLACE_TOO_LONG)
            refuse_waiting(ticket, REFUSED_QUEUE_TIME,
                           "the service is busy, and the request has waited too long");
        else
            refuse_waiting(ticket, REFUSED_QUEUE_FULL, "the service is busy and its queue is full");
}

static bool is_idle(const struct service *service)
{
    return TAILQ_EMPTY(&service->jobs) && LIST_EMPTY(&service->graded) &&
           (service->runner == NULL || runner_is_idle(service->runner));
}

void jobs_pump(struct service *service)
{
    service->again = true;
    if (service->busy)
        return; /* the caller that made it so does this afterwards */
    service->busy = true;
    while (service->again) {
        service->again = false;
        start_and_refuse(service);
    }
    service->busy = false;
    places_flush(service->places);
    show_counts(service);
    set_timer(service);
    if (service->runner != NULL)
        runner_pump(service->runner);
    if (service->draining && is_idle(service) && service->idle != NULL) {
        void (*idle)(void *) = service->idle;
        service->idle = NULL;
        idle(service->idle_user);
    }
}

void jobs_kill(struct service *service, const char *reason)
{
    struct service_job *job, *next;
    for (job = TAILQ_FIRST(&service->jobs); job != NULL; job = next) {
        next = TAILQ_NEXT(job, all);
        job->killed = true;
        if (job->run != NULL)
            sb_kill(job->run, SIGKILL, reason);
        else
            refuse_waiting(&job->ticket, REFUSED_STOPPING, reason);
    }
    graded_stop(service);
    if (service->runner != NULL)
        runner_give_up(service->runner);
    jobs_pump(service);
}

void jobs_free(struct service *service)
{
    struct service_job *job;
    while ((job = TAILQ_FIRST(&service->jobs)) != NULL) {
        if (job->owner != NULL)
            job->requester->forget(job->owner);
        job_free(job);
    }
    graded_free(service);
}

/* See job_exchange.h. */
#include "serve/jobs/job_exchange.h"

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "common/util.h"
#include "serve/http/route.h"
#include "serve/jobs/jobs.h"
#include "serve/jobs/service_state.h"
#include "serve/jobs/spilled.h"

/* ── Refusals ────────────────────────────────────────────────────────────────────────────────── */

static void answer_text(struct exchange *exchange, unsigned status, char *text)
{
    exchange_answer(exchange, status, "application/json", text, text != NULL ? strlen(text) : 0);
}

int64_t exchange_retry_after(struct exchange *exchange)
{
    char text[24];
    int64_t seconds = places_retry_after(exchange->service->places, monotonic_us());
    snprintf(text, sizeof(text), "%" PRId64, seconds);
    exchange_header(exchange, "Retry-After", text);
    return seconds;
}

void exchange_refuse(struct exchange *exchange, enum contract_id contract, enum refusal reason,
                     unsigned status, const char *field, const char *message)
{
    char text[512];
    exchange->refusal = reason;
    exchange->refused_field = request_field_name(field);
    if (status == 503) {
        snprintf(text, sizeof(text), "%s: try again in %" PRId64 " s", message,
                 exchange_retry_after(exchange));
        message = text;
    }
    answer_text(exchange, status, contract_refusal(contract, field, message));
}

static void refuse_for_memory(struct exchange *exchange, enum contract_id contract)
{
    answer_text(exchange, 500, contract_refusal(contract, NULL, "out of memory (the request)"));
}

/* ── As a requester ──────────────────────────────────────────────────────────────────────────── */

static struct answer compose(struct service_job *job, const struct sb_verdict *verdict)
{
    struct answer answer = {.host_busy = verdict->host_busy};
    if (job->exchange == NULL)
        return answer;
    answer.text = contract_answer(job->contract, verdict, job->flags, &answer.status);
    if (job->killed || verdict->host_busy)
        answer.status = 503;
    job->exchange->no_refusal = true;
    if (stream_has_begun(job)) {
        stream_verdict(job, answer.text, answer.status);
        answer = (struct answer){.status = 200, .delivered = true};
    }
    return answer;
}

static void deliver(void *owner, struct answer *answer)
{
    struct exchange *exchange = owner;
    exchange->gone = NULL;
    if (answer->host_busy)
        exchange_retry_after(exchange);
    answer_text(exchange, answer->status, answer->text);
}

static void refuse(void *owner, enum contract_id contract, enum refusal reason, const char *message)
{
    struct exchange *exchange = owner;
    exchange->gone = NULL;
    exchange_refuse(exchange, contract, reason, 503, NULL, message);
}

static void forget(void *owner)
{
    ((struct exchange *)owner)->gone = NULL;
}

static void waits(struct service_job *job)
{
    spilled_enter(job);
    if (job->stream != NULL)
        stream_wait(job);
}

static const struct requester http_client = {compose, deliver, refuse, forget, NULL, waits};

/* The client leaves before its answer. */
static void client_left(struct exchange *exchange)
{
    struct service_job *job = exchange->state;
    metrics_add(&exchange->service->metrics->refused[REFUSED_CLIENT_LEFT], 1);
    if (job->stream != NULL)
        stream_abandon(job);
    job_abandon(job, "the client left before the job had ended");
}

/* ── Submitting ──────────────────────────────────────────────────────────────────────────────── */

struct job_origin exchange_origin(struct exchange *exchange, char endpoint[static ENDPOINT_SIZE],
                                  struct request *request, const struct sb_policy *policy)
{
    snprintf(endpoint, ENDPOINT_SIZE, "%s %s", exchange->route->method, exchange->route->path);
    return (struct job_origin){.owner = exchange,
                               .client = &exchange->client,
                               .id = exchange->id,
                               .endpoint = endpoint,
                               .request = request,
                               .policy = policy,
                               .policies = exchange->service->policies,
                               .size = exchange->body_size};
}

bool exchange_lacks(struct exchange *exchange, enum contract_id contract)
{
    enum refusal reason;
    const char *lack = jobs_lack(exchange->service, &reason);
    if (lack != NULL)
        exchange_refuse(exchange, contract, reason, 503, NULL, lack);
    return lack != NULL;
}

static struct service_job *make_job(struct exchange *exchange, struct request *request,
                                    const struct sb_policy *policy)
{
    char endpoint[ENDPOINT_SIZE];
    const struct stream_form *form =
        request->contract == NATIVE ? stream_form_asked(exchange->accept) : NULL;
    struct job_origin origin = exchange_origin(exchange, endpoint, request, policy);
    origin.requester = &http_client;
    struct service_job *job = job_make(exchange->service, &origin);
    if (job == NULL)
        return NULL;
    job->exchange = exchange;
    job_give_stream(job, form != NULL ? stream_make(form) : NULL);
    if ((form == NULL || job->stream != NULL) && spilled_keep(job) == 0)
        return job;
    job_free(job);
    return NULL;
}

void job_submit(struct exchange *exchange, struct request *request, const struct sb_policy *policy)
{
    enum contract_id contract = request->contract;
    char text[200];
    if (exchange_lacks(exchange, contract))
        return;
    struct service_job *job = make_job(exchange, request, policy);
    if (job == NULL) {
        refuse_for_memory(exchange, contract);
        return;
    }
    if (job_never_fits(job, text, sizeof(text))) {
        job_free(job);
        exchange_refuse(exchange, contract, REFUSED_REQUEST, 400, "limits.memory_bytes", text);
        return;
    }
    exchange->state = job;
    exchange->gone = client_left;
    if (job_enter(job) != JOB_NOT_ENTERED)
        return;
    job_free(job);
    exchange->gone = NULL;
    refuse_for_memory(exchange, contract);
}

/* See graded_exchange.h. What the client of a graded run is told: events, and the answer. */
#include "serve/jobs/graded_exchange.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/util.h"
#include "serve/jobs/graded_run.h"
#include "serve/jobs/job_exchange.h"
#include "serve/jobs/service_state.h"

/* ── Events ──────────────────────────────────────────────────────────────────────────────────── */

static void drained(struct exchange *exchange)
{
    graded_go_on(exchange->state);
}

void graded_tell_position(struct graded *graded, int64_t position)
{
    const struct stream_reader reader = {graded->owner, graded->id, sb_policy_name(graded->policy),
                                         drained};
    if (graded->stream != NULL)
        stream_tell(graded->stream, &reader, position);
}

static void tell_case(struct graded *graded, size_t index)
{
    if (!stream_began(graded->stream))
        return;
    _cleanup_free_ char *text = case_results_event(&graded->results, index);
    if (text != NULL)
        graded->paused = !stream_event(graded->stream, graded->owner, "case", text, strlen(text));
}

/* ── The end ─────────────────────────────────────────────────────────────────────────────────── */

static void answer(struct graded *graded)
{
    struct exchange *exchange = graded->owner;
    unsigned status = graded_status(graded);
    char *text = case_results_json(&graded->results);
    exchange->gone = NULL;
    exchange->no_refusal = true;
    if (stream_began(graded->stream)) {
        stream_finish(graded->stream, exchange, text, status);
        return;
    }
    if (graded->results.host_busy)
        exchange_retry_after(exchange);
    exchange_answer(exchange, status, "application/json", text, text != NULL ? strlen(text) : 0);
}

static void refuse(struct graded *graded)
{
    struct exchange *exchange = graded->owner;
    char text[300];
    exchange->gone = NULL;
    if (!stream_began(graded->stream)) {
        exchange_refuse(exchange, NATIVE, graded->refusal, 503, NULL, graded->refused);
        return;
    }
    snprintf(text, sizeof(text), "%s: try again in %" PRId64 " s", graded->refused,
             places_retry_after(graded->service->places, monotonic_us()));
    const struct sb_verdict verdict = sb_verdict_unstarted(exchange->id, text);
    exchange->refusal = graded->refusal;
    stream_finish(graded->stream, exchange, sb_verdict_json(&verdict, 0), 503);
}

static void forget(struct graded *graded)
{
    ((struct exchange *)graded->owner)->gone = NULL;
}

static const struct graded_requester http_client = {tell_case, answer, refuse, forget};

static void client_left(struct exchange *exchange)
{
    metrics_add(&exchange->service->metrics->refused[REFUSED_CLIENT_LEFT], 1);
    graded_abandon(exchange->state, "the client left before the job had ended");
}

/* ── Submitting ──────────────────────────────────────────────────────────────────────────────── */

static struct graded *make_graded(struct exchange *exchange, struct request *request,
                                  const struct sb_policy *policy)
{
    char endpoint[ENDPOINT_SIZE];
    const struct stream_form *form = stream_form_asked(exchange->accept);
    bool keep = exchange->body_in_file; /* the request has been read in place */
    const struct job_origin origin = exchange_origin(exchange, endpoint, request, policy);
    struct graded *graded = graded_make(exchange->service, &http_client, &origin);
    if (graded == NULL)
        return NULL;
    graded->stream = form != NULL ? stream_make(form) : NULL;
    graded->kept = keep ? exchange_keep_body(exchange) : NULL;
    if ((form == NULL || graded->stream != NULL) && (!keep || graded->kept != NULL))
        return graded;
    graded_release(graded);
    return NULL;
}

void graded_submit(struct exchange *exchange, struct request *request,
                   const struct sb_policy *policy)
{
    char text[200];
    if (exchange_lacks(exchange, NATIVE))
        return;
    struct graded *graded = make_graded(exchange, request, policy);
    if (graded == NULL) {
        exchange_refuse(exchange, NATIVE, REFUSED_INTERNAL, 500, NULL,
                        "out of memory (the request)");
        return;
    }
    if (graded_never_fits(graded, text, sizeof(text))) {
        graded_release(graded);
        exchange_refuse(exchange, NATIVE, REFUSED_REQUEST, 400, "limits.memory_bytes", text);
        return;
    }
    exchange->state = graded;
    exchange->gone = client_left;
    graded_begin(graded);
}

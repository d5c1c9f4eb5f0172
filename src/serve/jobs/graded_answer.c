/* What the client of a graded run is told: events, and the answer. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/util.h"
#include "serve/jobs/graded_run.h"
#include "serve/jobs/job_exchange.h"
#include "serve/jobs/service_state.h"

void graded_tell_position(struct graded *graded, int64_t position)
{
    const struct stream_reader reader = {graded->exchange, graded->exchange->id,
                                         sb_policy_name(graded->policy), graded_drained};
    if (graded->stream != NULL)
        stream_tell(graded->stream, &reader, position);
}

void graded_tell_case(struct graded *graded, size_t index)
{
    if (!stream_began(graded->stream) || graded->results.results[index].json == NULL)
        return;
    _cleanup_free_ char *text = case_results_event(&graded->results, index);
    if (text != NULL)
        graded->paused =
            !stream_event(graded->stream, graded->exchange, "case", text, strlen(text));
}

/* As of the worst case alone. */
static unsigned status_of(const struct graded *graded)
{
    const struct case_results *results = &graded->results;
    if (graded->stopping || results->host_busy)
        return 503;
    return results->any_ran ? contracts[NATIVE].status[results->results[results->worst].word] : 500;
}

void graded_answer(struct graded *graded)
{
    struct exchange *exchange = graded->exchange;
    unsigned status = status_of(graded);
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

void graded_refuse(struct graded *graded)
{
    struct exchange *exchange = graded->exchange;
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

/* See job_routes.h. A route asks the store, and answers when that has answered; its client may have
 * left by then. */
#include "serve/api/job_routes.h"

#include <nettle/base16.h>
#include <nettle/sha2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "common/json_writer.h"
#include "common/util.h"
#include "serve/jobs/callback.h"
#include "serve/jobs/followers.h"
#include "serve/jobs/job_exchange.h"
#include "serve/jobs/jobs.h"
#include "serve/jobs/request_admit.h"
#include "serve/jobs/runner.h"
#include "serve/jobs/service_state.h"
#include "serve/jobs/stored_job.h"
#include "serve/jobs/stored_request.h"

enum { KEY_MAX = 256, WAIT_MAX_S = 60, LIST_MAX = 100 };

static const char type_json[] = "application/json";

/* The store; NULL: there is none, and the exchange has been answered. */
static struct store *store_of(struct exchange *exchange)
{
    struct runner *runner = exchange->service->runner;
    if (runner != NULL)
        return runner_store(runner);
    exchange_refuse(exchange, NATIVE, REFUSED_REQUEST, 501, NULL,
                    "this service keeps no jobs: use POST /run, or start it with --store "
                    "sqlite:PATH");
    return NULL;
}

/* ── A call of the store for an exchange ─────────────────────────────────────────────────────── */

struct call {
    struct exchange *exchange; /* NULL: its client has left */
};

static void left(struct exchange *exchange)
{
    struct call *call = exchange->state;
    exchange->gone = NULL;
    call->exchange = NULL;
}

/* NULL: no memory, and the exchange has been answered. */
static struct call *begin_call(struct exchange *exchange)
{
    struct call *call = malloc(sizeof(*call));
    if (call == NULL) {
        exchange_answer(exchange, 500, type_json, NULL, 0);
        return NULL;
    }
    call->exchange = exchange;
    exchange->state = call;
    exchange->gone = left;
    return call;
}

/* The exchange to answer; NULL: its client has left. */
static struct exchange *end_call(struct call *call)
{
    struct exchange *exchange = call->exchange;
    if (exchange != NULL)
        exchange->gone = NULL;
    free(call);
    return exchange;
}

/* ── POST /jobs ──────────────────────────────────────────────────────────────────────────────── */

static bool key_is_valid(const char *key)
{
    size_t size = 0;
    for (; key[size] != '\0'; size++)
        if (key[size] < ' ' || key[size] > '~')
            return false;
    return size >= 1 && size <= KEY_MAX;
}

static void submitted(void *user, enum store_result result, const char *message,
                      const struct store_job *job)
{
    struct exchange *exchange = end_call(user);
    struct json_writer writer;
    char location[64];
    if (exchange == NULL)
        return;
    if (result == STORE_FULL) {
        exchange_refuse(exchange, NATIVE, REFUSED_QUEUE_FULL, 503, NULL, message);
        return;
    }
    if (result == STORE_CONFLICT) {
        exchange_refuse(exchange, NATIVE, REFUSED_REQUEST, 422, "Idempotency-Key",
                        "this Idempotency-Key has come with another body: use a new key for each "
                        "job");
        return;
    }
    if (job == NULL) {
        refuse_for_store(exchange, message);
        return;
    }
    snprintf(location, sizeof(location), "/jobs/%s", job->id);
    exchange_header(exchange, "Location", location);
    json_begin(&writer, 96);
    json_bracket(&writer, '{');
    json_member(&writer, "id", job->id);
    json_member(&writer, "state", store_state_names[job->state]);
    json_bracket(&writer, '}');
    size_t size = writer.size;
    exchange_answer(exchange, 202, type_json, json_end(&writer), size);
}

static void put_digest(char digest[65], const struct exchange *exchange)
{
    struct sha256_ctx sha256;
    uint8_t bytes[SHA256_DIGEST_SIZE];
    sha256_init(&sha256);
    sha256_update(&sha256, exchange->body_size, (const uint8_t *)exchange->body);
    sha256_digest(&sha256, sizeof(bytes), bytes);
    base16_encode_update(digest, sizeof(bytes), bytes);
    digest[64] = '\0';
}

/* False: there is no randomness yet, early in the boot of a machine. */
static bool put_id(char id[STORE_ID_SIZE])
{
    uint8_t bytes[16];
    if (getrandom(bytes, sizeof(bytes), GRND_NONBLOCK) != sizeof(bytes))
        return false;
    base16_encode_update(id, sizeof(bytes), bytes);
    id[STORE_ID_SIZE - 1] = '\0';
    return true;
}

/* The request, which has been checked, is read again when the job's turn comes. */
static void submit(struct exchange *exchange, struct store *store, const char *policy)
{
    struct store_submission submission = {
        .owner = exchange->client.key, .policy = policy, .key = exchange->idempotency_key};
    _cleanup_free_ void *request = stored_request_write(exchange, &submission.size);
    if (request == NULL || !put_id(submission.id)) {
        exchange_refuse(exchange, NATIVE, REFUSED_MEMORY, 503, NULL, "the host is not ready");
        return;
    }
    put_digest(submission.digest, exchange);
    submission.request = request;
    struct call *call = begin_call(exchange);
    if (call != NULL)
        store_driver(store)->submit(store, &submission, submitted, call);
}

void jobs_submit(struct exchange *exchange)
{
    struct store *store = store_of(exchange);
    struct request request;
    struct sb_error err;
    const struct sb_policy *policy = NULL;
    enum refusal reason = REFUSED_STOPPING;
    if (store == NULL)
        return;
    if (exchange->idempotency_key != NULL && !key_is_valid(exchange->idempotency_key)) {
        exchange_refuse(exchange, NATIVE, REFUSED_REQUEST, 400, "Idempotency-Key",
                        "an Idempotency-Key has 1 to 256 printable ASCII characters: send such a "
                        "key, or none");
        return;
    }
    if (exchange->service->draining) {
        exchange_refuse(exchange, NATIVE, reason, 503, NULL, "the service is stopping");
        return;
    }
    int status = exchange_request(exchange, ENDPOINT_JOBS, true, &request, &policy, &err);
    if (status == 0 && request.callback_url != NULL &&
        callbacks_check(runner_callbacks(exchange->service->runner), request.callback_url, &err) <
            0)
        status = 400;
    if (status == 0)
        submit(exchange, store, sb_policy_name(policy));
    else
        exchange_refuse_request(exchange, &request, (unsigned)status, &err);
    request_free(&request);
}

/* ── GET /jobs, DELETE /jobs/ID ──────────────────────────────────────────────────────────────── */

static void listed(void *user, enum store_result result, const char *message,
                   const struct store_job *jobs, size_t count)
{
    struct exchange *exchange = end_call(user);
    struct json_writer writer;
    if (exchange == NULL)
        return;
    if (result != STORE_OK) {
        refuse_for_store(exchange, message);
        return;
    }
    json_begin(&writer, 64 + count * 320);
    json_bracket(&writer, '{');
    json_key(&writer, "jobs");
    json_bracket(&writer, '[');
    for (size_t i = 0; i < count; i++) {
        json_item(&writer);
        stored_job_write(&writer, &jobs[i], false);
    }
    json_bracket(&writer, ']');
    json_bracket(&writer, '}');
    size_t size = writer.size;
    exchange_answer(exchange, 200, type_json, json_end(&writer), size);
}

/* Whether there is no query, for a route that takes none; else the exchange has been answered. */
static bool no_query(struct exchange *exchange)
{
    if (*exchange->query == '\0')
        return true;
    exchange_refuse(exchange, NATIVE, REFUSED_REQUEST, 400, NULL,
                    "this endpoint takes no query: leave away what comes from the '?' on");
    return false;
}

void jobs_list(struct exchange *exchange)
{
    struct store *store = store_of(exchange);
    struct call *call = store != NULL && no_query(exchange) ? begin_call(exchange) : NULL;
    if (call != NULL)
        store_driver(store)->list(store, exchange->client.key, LIST_MAX, listed, call);
}

static void cancelled(void *user, enum store_result result, const char *message)
{
    struct exchange *exchange = end_call(user);
    if (exchange == NULL)
        return;
    if (result == STORE_OK)
        exchange_answer(exchange, 204, NULL, strdup(""), 0);
    else if (result == STORE_NONE)
        job_not_found(exchange);
    else
        refuse_for_store(exchange, message);
}

void jobs_cancel(struct exchange *exchange)
{
    struct store *store = store_of(exchange);
    if (store == NULL || !no_query(exchange))
        return;
    if (strlen(exchange->resource) != STORE_ID_SIZE - 1) {
        job_not_found(exchange);
        return;
    }
    struct call *call = begin_call(exchange);
    if (call != NULL)
        store_driver(store)->cancel(store, exchange->resource, exchange->client.key, cancelled,
                                    call);
}

/* ── GET /jobs/ID ────────────────────────────────────────────────────────────────────────────── */

/* "wait=30" as milliseconds; "": 0. −1: it is anything else. */
static int64_t read_wait(const char *query)
{
    static const char name[] = "wait=";
    if (*query == '\0')
        return 0;
    if (strncmp(query, name, sizeof(name) - 1) != 0)
        return -1;
    const char *digits = query + sizeof(name) - 1;
    size_t size = strspn(digits, "0123456789");
    if (size == 0 || size > 2 || digits[size] != '\0')
        return -1;
    int64_t seconds = strtol(digits, NULL, 10);
    return seconds <= WAIT_MAX_S ? seconds * 1000 : -1;
}

void jobs_get(struct exchange *exchange)
{
    if (store_of(exchange) == NULL)
        return;
    int64_t wait_ms = read_wait(exchange->query);
    if (wait_ms < 0)
        exchange_refuse(exchange, NATIVE, REFUSED_REQUEST, 400, "wait",
                        "the query may be wait=SECONDS, whole seconds from 0 to 60");
    else
        follow_answer(exchange, exchange->resource, wait_ms);
}

void jobs_events(struct exchange *exchange)
{
    if (store_of(exchange) == NULL || !no_query(exchange))
        return;
    const struct stream_form *form = stream_form_asked(exchange->accept);
    follow_events(exchange, exchange->resource,
                  form != NULL ? form : stream_form_asked("text/event-stream"));
}

/* Requests: from libmicrohttpd's calls to an exchange. libmicrohttpd calls once with the header,
 * then with each part of the body, then once more, and again when a suspended connection is
 * resumed. An answer at the first call ends the connection, so it is kept until the last call where
 * that is possible. */
#include <microhttpd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/util.h"
#include "serve/http/answer_stream.h"
#include "serve/http/answers.h"
#include "serve/http/bodies.h"
#include "serve/http/connection.h"
#include "serve/http/dispatch.h"
#include "serve/http/error_json.h"
#include "serve/http/http_state.h"
#include "serve/http/incoming.h"

/* ── Bodies ─────────────────────────────────────────────────────────────────────────────────── */

/* Answers in the middle of a body. libmicrohttpd can't do that, so the answer is sent without it.
 */
static enum MHD_Result refuse_body(struct incoming *incoming, unsigned status, const char *message)
{
    size_t size = 0;
    _cleanup_free_ char *body = error_json("body", message, &size);
    connection_say(incoming->connection, status, incoming->exchange.id, body, size);
    incoming->connection->linger = true;
    return MHD_NO;
}

static enum MHD_Result take_body(struct incoming *incoming, const char *data, size_t size)
{
    struct exchange *exchange = &incoming->exchange;
    int64_t limit = exchange->client.body_bytes;
    if ((int64_t)(exchange->body_size + size) > limit) {
        char message[128];
        snprintf(message, sizeof(message), "the body is larger than %lld bytes: send less",
                 (long long)limit);
        return refuse_body(incoming, MHD_HTTP_CONTENT_TOO_LARGE, message);
    }
    exchange->body_size += size;
    if (incoming->phase == INCOMING_ANSWERED)
        return MHD_YES;
    if (incoming->phase == INCOMING_LEFT)
        return MHD_NO;
    if (!body_add(incoming, data, size))
        return refuse_body(incoming, MHD_HTTP_SERVICE_UNAVAILABLE, body_refusal);
    return MHD_YES;
}

/* ── Headers ────────────────────────────────────────────────────────────────────────────────── */

static const struct {
    const char *name;
    bool single; /* twice is an error: a proxy in front may have used the other one */
} header_names[HEADERS] = {
    [HEADER_HOST] = {"Host", true},
    [HEADER_ORIGIN] = {"Origin", true},
    [HEADER_FETCH_SITE] = {"Sec-Fetch-Site", true},
    [HEADER_USER_AGENT] = {"User-Agent", false},
    [HEADER_CONTENT_TYPE] = {"Content-Type", true},
    [HEADER_CONTENT_ENCODING] = {"Content-Encoding", true},
    [HEADER_CONTENT_LENGTH] = {"Content-Length", true},
    [HEADER_TRANSFER_ENCODING] = {"Transfer-Encoding", true},
    [HEADER_AUTHORIZATION] = {"Authorization", true},
    [HEADER_EXPECT] = {"Expect", true},
    [HEADER_REQUEST_ID] = {"X-Request-Id", false},
    [HEADER_IDEMPOTENCY_KEY] = {"Idempotency-Key", true},
    [HEADER_ACCEPT] = {"Accept", false},
    [HEADER_ACCEPT_ENCODING] = {"Accept-Encoding", false},
    [HEADER_IF_NONE_MATCH] = {"If-None-Match", false},
    [HEADER_REQUEST_METHOD] = {"Access-Control-Request-Method", false},
    [HEADER_PRIVATE_NETWORK] = {"Access-Control-Request-Private-Network", false},
};

/* Appends a value. If it does not fit, the beginning is dropped, since the end is what counts. */
static void append_forwarded(char forwarded[FORWARDED_SIZE], const char *value)
{
    size_t old = strlen(forwarded), more = strlen(value), glue = old > 0;
    if (more >= FORWARDED_SIZE) {
        value += more - (FORWARDED_SIZE - 1);
        more = FORWARDED_SIZE - 1;
    }
    size_t drop =
        old + glue + more >= FORWARDED_SIZE ? old + glue + more - (FORWARDED_SIZE - 1) : 0;
    drop = drop > old ? old : drop;
    memmove(forwarded, forwarded + drop, old - drop);
    old -= drop;
    if (glue != 0 && old + 1 + more < FORWARDED_SIZE)
        forwarded[old++] = ',';
    memcpy(forwarded + old, value, more);
    forwarded[old + more] = '\0';
}

static enum MHD_Result take_header(void *user, enum MHD_ValueKind kind, const char *name,
                                   size_t name_size, const char *value, size_t value_size)
{
    (void)kind;
    struct incoming *incoming = user;
    if (value == NULL) {
        incoming->asked.head.malformed = true;
        return MHD_YES;
    }
    head_field(&incoming->asked.head, name, name_size, value, value_size);
    for (size_t i = 0; i < HEADERS; i++) {
        if (strcasecmp(name, header_names[i].name) != 0)
            continue;
        if (incoming->asked.headers[i] != NULL && header_names[i].single)
            incoming->asked.twice = header_names[i].name;
        incoming->asked.headers[i] = value;
        return MHD_YES;
    }
    if (strcasecmp(name, "X-Forwarded-For") == 0)
        append_forwarded(incoming->asked.forwarded, value);
    return MHD_YES;
}

/* ── Calls from libmicrohttpd ───────────────────────────────────────────────────────────────── */

void *incoming_begins(void *daemon, const char *uri, struct MHD_Connection *mhd)
{
    (void)daemon;
    struct connection *connection = connection_of(mhd);
    if (connection == NULL)
        return NULL;
    connection->target = uri;
    connection->target_size = strlen(uri);
    const char *query = strchr(uri, '?');
    snprintf(connection->query, sizeof(connection->query), "%s", query != NULL ? query + 1 : "");
    connection->wrong = head_target_wrong(uri);
    connection_enter(connection, PHASE_HEADER, 0);
    return NULL;
}

static void read_head(struct incoming *incoming, const char *method, const char *version)
{
    struct connection *connection = incoming->connection;
    size_t size = MHD_get_connection_info(connection->mhd, MHD_CONNECTION_INFO_REQUEST_HEADER_SIZE)
                      ->header_size;
    incoming->asked.head =
        head_begin(method, connection->target, connection->target_size, version, size);
    MHD_get_connection_values_n(connection->mhd, MHD_HEADER_KIND, take_header, incoming);
    incoming->exchange.accept = incoming->asked.headers[HEADER_ACCEPT];
    incoming->exchange.idempotency_key = incoming->asked.headers[HEADER_IDEMPOTENCY_KEY];
    incoming->exchange.query = connection->query;
}

static struct incoming *make_incoming(struct connection *connection, const char *url,
                                      const char *method, const char *version)
{
    struct incoming *incoming = calloc(1, sizeof(*incoming));
    if (incoming == NULL)
        return NULL;
    incoming->connection = connection;
    incoming->exchange.service = connection->http->service;
    incoming->exchange.method = method;
    incoming->exchange.path = url;
    incoming->exchange.body = "";
    incoming->body.file = -1;
    incoming->asked.interim = strcmp(version, "HTTP/1.0") != 0;
    connection->incoming = incoming;
    connection_enter(connection, PHASE_BODY, 0);
    read_head(incoming, method, version);
    return incoming;
}

/* Whether an answer must be sent before the body has arrived: the client waits for it (Expect), or
 * the body is not worth reading. */
static bool answers_early(const struct incoming *incoming)
{
    return incoming->phase == INCOMING_ANSWERED && incoming->asked.has_body &&
           (incoming->answer.close || incoming->asked.headers[HEADER_EXPECT] != NULL);
}

static enum MHD_Result hand_over_answer(struct incoming *incoming)
{
    return incoming->answer.response != NULL ? answer_queue(incoming) : MHD_NO;
}

static enum MHD_Result first_call(struct connection *connection, const char *url,
                                  const char *method, const char *version, void **context)
{
    struct incoming *incoming = make_incoming(connection, url, method, version);
    *context = incoming;
    if (incoming == NULL)
        return MHD_NO;
    dispatch_admit(incoming, version);
    if (!answers_early(incoming))
        return MHD_YES;
    connection->linger = true;
    return hand_over_answer(incoming);
}

void incoming_forget(struct incoming *incoming)
{
    struct exchange *exchange = &incoming->exchange;
    incoming->phase = INCOMING_LEFT;
    if (exchange->gone != NULL)
        exchange->gone(exchange);
    exchange->gone = NULL;
}

static enum MHD_Result last_call(struct incoming *incoming)
{
    struct connection *connection = incoming->connection;
    if (incoming->phase == INCOMING_ARRIVES) {
        if (body_finish(incoming))
            dispatch_run(incoming);
        else
            exchange_error(&incoming->exchange, MHD_HTTP_SERVICE_UNAVAILABLE, "body", "%s",
                           body_refusal);
        body_free(incoming); /* the job has its own copy, or keeps this one */
    }
    if (incoming->phase == INCOMING_ANSWERED)
        return hand_over_answer(incoming);
    if (incoming->phase == INCOMING_LEFT)
        return MHD_NO;
    incoming->phase = INCOMING_WAITS;
    connection_enter(connection, PHASE_WAIT, 0);
    if (connection_is_gone(connection)) {
        incoming_forget(incoming);
        return MHD_NO;
    }
    MHD_suspend_connection(connection->mhd);
    return MHD_YES;
}

enum MHD_Result incoming_handle(void *daemon, struct MHD_Connection *mhd, const char *url,
                                const char *method, const char *version, const char *data,
                                size_t *size, void **context)
{
    (void)daemon;
    struct connection *connection = connection_of(mhd);
    struct incoming *incoming = *context;
    if (connection == NULL)
        return MHD_NO; /* there was no memory for it */
    if (incoming == NULL)
        return first_call(connection, url, method, version, context);
    if (*size == 0)
        return last_call(incoming);
    enum MHD_Result result = take_body(incoming, data, *size);
    *size = 0;
    return result;
}

void incoming_leave(struct incoming *incoming)
{
    incoming_forget(incoming);
    MHD_resume_connection(incoming->connection->mhd);
    daemon_wake(incoming->connection->daemon);
}

void incoming_completed(void *daemon, struct MHD_Connection *mhd, void **context,
                        enum MHD_RequestTerminationCode code)
{
    (void)daemon, (void)code;
    struct connection *connection = connection_of(mhd);
    struct incoming *incoming = *context;
    *context = NULL;
    if (incoming != NULL) {
        if (incoming->exchange.gone != NULL) /* in the middle of an answer in parts */
            incoming_forget(incoming);
        stream_close(incoming);
        answer_free(incoming);
        body_free(incoming);
        connection->incoming = NULL;
        free(incoming);
    }
    if (connection == NULL || connection->phase == PHASE_CLOSING)
        return;
    if (connection->http->draining)
        connection_shut(connection);
    else
        connection_enter(connection, PHASE_IDLE, 0);
}

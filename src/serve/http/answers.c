/* Takes answers from routes and hands them to libmicrohttpd, which sends them. An answer that is
 * given during a call from libmicrohttpd is queued at the end of that call. */
#include <microhttpd.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/util.h"
#include "serve/http/answers.h"
#include "serve/http/connection.h"
#include "serve/http/error_json.h"
#include "serve/http/http_state.h"
#include "serve/http/incoming.h"

/* The bounds of all answers that clients have not read yet: many clients that never read must not
 * take the memory that jobs need, or fill the disk. */
#define ANSWERS_BYTES (INT64_C(256) * 1024 * 1024)
#define ANSWER_FILES_BYTES (16 * ANSWERS_BYTES)
/* While this much is in memory, answers above that size go to files. */
#define MANY_BYTES (ANSWERS_BYTES / 2)
#define LARGE_BYTES (256 * 1024)

static void add_headers(struct incoming *incoming, const char *type)
{
    struct MHD_Response *response = incoming->answer.response;
    const char *origin = incoming->asked.headers[HEADER_ORIGIN];
    if (type != NULL)
        MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, type);
    MHD_add_response_header(response, "X-Request-Id", incoming->exchange.id);
    MHD_add_response_header(response, "X-Content-Type-Options", "nosniff");
    MHD_add_response_header(response, "Referrer-Policy", "no-referrer");
    if (incoming->asset == NULL)
        MHD_add_response_header(response, MHD_HTTP_HEADER_CACHE_CONTROL, "no-store");
    if (origin != NULL && incoming->answer.allows_origin) {
        MHD_add_response_header(response, "Access-Control-Allow-Origin", origin);
        MHD_add_response_header(response, "Access-Control-Expose-Headers",
                                "X-Request-Id, Retry-After");
        MHD_add_response_header(response, MHD_HTTP_HEADER_VARY, "Origin");
    }
    for (size_t i = 0; i < incoming->answer.extra_count; i++)
        MHD_add_response_header(response, incoming->answer.extra[i].name,
                                incoming->answer.extra[i].value);
    if (incoming->answer.close || incoming->connection->http->last_answers)
        MHD_add_response_header(response, MHD_HTTP_HEADER_CONNECTION, "close");
}

void answer_release(struct incoming *incoming, size_t size)
{
    size = MIN(size, incoming->answer.held);
    incoming->connection->http->answer_bytes -= (int64_t)size;
    incoming->answer.held -= size;
}

/* Neither its memory nor its file is counted any longer. */
static void release_answer(struct incoming *incoming)
{
    struct http *http = incoming->connection->http;
    answer_release(incoming, incoming->answer.held);
    http->answer_file_bytes -= (int64_t)incoming->answer.in_file;
    http->files -= incoming->answer.in_file > 0;
    incoming->answer.in_file = 0;
}

/* When it was given. The deadline is later for a larger answer: see answer_queue. */
static int64_t answered_ms(const struct connection *connection)
{
    return connection->deadline_ms - (int64_t)connection->incoming->answer.size / 4;
}

/* Makes room for one more answer. The client that has had the most time to read its answer, and has
 * not, loses it. */
static void bound_answers(struct http *http)
{
    while (http->answer_bytes > ANSWERS_BYTES) {
        struct connection *connection, *oldest = NULL;
        TAILQ_FOREACH(connection, &http->phases[PHASE_ANSWER], link)
        if (connection->incoming->answer.held > 0 &&
            (oldest == NULL || answered_ms(connection) < answered_ms(oldest)))
            oldest = connection;
        if (oldest == NULL)
            return;
        release_answer(oldest->incoming);
        connection_shut(oldest);
    }
}

void answer_hold(struct incoming *incoming, size_t size)
{
    incoming->answer.held += size;
    incoming->connection->http->answer_bytes += (int64_t)size;
    bound_answers(incoming->connection->http);
}

enum MHD_Result answer_queue(struct incoming *incoming)
{
    struct connection *connection = incoming->connection;
    answer_hold(incoming, incoming->answer.owned ? incoming->answer.size : 0);
    connection->linger = connection->linger || incoming->answer.close;
    enum MHD_Result result =
        MHD_queue_response(connection->mhd, incoming->answer.status, incoming->answer.response);
    MHD_destroy_response(incoming->answer.response);
    incoming->answer.response = NULL;
    metrics_response(connection->http->metrics, incoming->answer.status);
    refusal_tell(connection, incoming->answer.status);
    connection_enter(connection, PHASE_ANSWER, (int64_t)incoming->answer.size / 4);
    return result;
}

static void give_answer(struct incoming *incoming, unsigned status, const char *type,
                        struct MHD_Response *response, size_t size, bool owned)
{
    struct connection *connection = incoming->connection;
    bool suspended = incoming->phase == INCOMING_WAITS;
    incoming->phase = INCOMING_ANSWERED;
    incoming->answer.status = status;
    incoming->answer.response = response;
    incoming->answer.size = size;
    incoming->answer.owned = owned;
    incoming->exchange.gone = NULL;
    if (response != NULL)
        add_headers(incoming, type);
    if (!suspended)
        return;
    if (response != NULL)
        answer_queue(incoming);
    else /* there is no memory even for an error */
        connection_enter(connection, PHASE_CLOSING, 0);
    MHD_resume_connection(connection->mhd);
    daemon_wake(connection->daemon);
}

void incoming_answer_constant(struct incoming *incoming, unsigned status, const char *type,
                              const void *data, size_t size)
{
    give_answer(
        incoming, status, type,
        MHD_create_response_from_buffer(size, (void *)(intptr_t)data, MHD_RESPMEM_PERSISTENT), size,
        false);
}

void incoming_answer_parts(struct incoming *incoming, const char *type,
                           struct MHD_Response *response)
{
    give_answer(incoming, MHD_HTTP_OK, type, response, 0, false);
}

static bool belongs_in_file(const struct http *http, size_t size)
{
    return size > LARGE_BYTES && http->answer_bytes + (int64_t)size > MANY_BYTES &&
           !http->spool.in_memory && http->files < SPOOL_FILES_MAX &&
           http->answer_file_bytes + (int64_t)size <= ANSWER_FILES_BYTES;
}

/* A response whose body is in a file; NULL: it stays in memory. */
static struct MHD_Response *put_into_file(struct incoming *incoming, const char *body, size_t size)
{
    struct http *http = incoming->connection->http;
    int file = belongs_in_file(http, size) ? spool_open(&http->spool) : -1;
    if (file < 0)
        return NULL;
    struct MHD_Response *response =
        spool_write(file, body, size) ? MHD_create_response_from_fd64(size, file) : NULL;
    if (response == NULL) {
        close(file);
        return NULL;
    }
    incoming->answer.in_file = size;
    http->answer_file_bytes += (int64_t)size;
    http->files++;
    return response;
}

/* NULL: out of memory. Otherwise `body` is the response's, or freed. */
static struct MHD_Response *make_response(struct incoming *incoming, char *body, size_t size)
{
    if (body == NULL)
        return NULL;
    struct MHD_Response *response = put_into_file(incoming, body, size);
    if (response == NULL)
        return MHD_create_response_from_buffer(size, body, MHD_RESPMEM_MUST_FREE);
    free(body);
    return response;
}

void exchange_answer(struct exchange *exchange, unsigned status, const char *type, char *body,
                     size_t size)
{
    static const char no_memory[] =
        "{\"status\":\"error\",\"error\":\"the service is short of memory: try again later\","
        "\"field\":null}";
    struct incoming *incoming = incoming_of(exchange);
    if (incoming->phase == INCOMING_ANSWERED)
        abort(); /* answered twice: a bug */
    struct MHD_Response *response = make_response(incoming, body, size);
    if (response != NULL) {
        give_answer(incoming, status, type, response, size, incoming->answer.in_file == 0);
        return;
    }
    free(body);
    incoming_answer_constant(incoming, MHD_HTTP_INTERNAL_SERVER_ERROR, "application/json",
                             no_memory, sizeof(no_memory) - 1);
}

void exchange_error(struct exchange *exchange, unsigned status, const char *field,
                    const char *format, ...)
{
    char message[1024];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(message, sizeof(message), format, arguments);
    va_end(arguments);
    size_t size = 0;
    char *body = error_json(field, message, &size);
    exchange_answer(exchange, status, "application/json", body, size);
}

void exchange_header(struct exchange *exchange, const char *name, const char *value)
{
    struct incoming *incoming = incoming_of(exchange);
    if (incoming->answer.extra_count == EXTRA_HEADERS)
        return;
    char *name_copy = strdup(name), *value_copy = strdup(value);
    if (name_copy == NULL || value_copy == NULL) {
        free(name_copy);
        free(value_copy);
        return;
    }
    incoming->answer.extra[incoming->answer.extra_count].name = name_copy;
    incoming->answer.extra[incoming->answer.extra_count++].value = value_copy;
}

void answer_free(struct incoming *incoming)
{
    release_answer(incoming);
    if (incoming->answer.response != NULL)
        MHD_destroy_response(incoming->answer.response);
    for (size_t i = 0; i < incoming->answer.extra_count; i++) {
        free(incoming->answer.extra[i].name);
        free(incoming->answer.extra[i].value);
    }
}

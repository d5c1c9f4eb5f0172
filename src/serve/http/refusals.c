/* Requests that are refused. Every answer with status 400 or above comes through here, except for
 * those on jobs, which have records of their own, and on health. Each is counted by its reason.
 * Each is logged, too, unless refusals of one client, or of all clients together, come too often:
 * then only their number is logged, a while later.
 *
 * No record holds anything that a client has written, since it may be code or a secret that went
 * into the wrong place: not the sentence of the answer, no path except for a route's, no name of a
 * field except for our own. */
#include <microhttpd.h>
#include <stdio.h>
#include <string.h>

#include "common/util.h"
#include "serve/http/http_state.h"
#include "serve/http/incoming.h"
#include "serve/http/refusals.h"
#include "serve/http/route.h"

enum { OF_ONE_BURST = 5, OF_ALL_BURST = 50, SUMMARY_MS = 10000 };
#define OF_ONE_RATE 1.0                /* per second, for one client and reason */
#define OF_ALL_EACH_US INT64_C(100000) /* between two records of one reason, in a worker */

static enum refusal reason_of(unsigned status)
{
    static const struct {
        unsigned status;
        enum refusal reason;
    } table[] = {
        {MHD_HTTP_BAD_REQUEST, REFUSED_REQUEST},
        {MHD_HTTP_UNAUTHORIZED, REFUSED_TOKEN},
        {MHD_HTTP_FORBIDDEN, REFUSED_FORBIDDEN},
        {MHD_HTTP_NOT_FOUND, REFUSED_NOT_FOUND},
        {MHD_HTTP_METHOD_NOT_ALLOWED, REFUSED_METHOD},
        {MHD_HTTP_REQUEST_TIMEOUT, REFUSED_SLOW},
        {MHD_HTTP_CONTENT_TOO_LARGE, REFUSED_TOO_LARGE},
        {MHD_HTTP_URI_TOO_LONG, REFUSED_TOO_LARGE},
        {MHD_HTTP_REQUEST_HEADER_FIELDS_TOO_LARGE, REFUSED_TOO_LARGE},
        {MHD_HTTP_UNSUPPORTED_MEDIA_TYPE, REFUSED_TYPE},
        {MHD_HTTP_MISDIRECTED_REQUEST, REFUSED_HOST},
        {MHD_HTTP_TOO_MANY_REQUESTS, REFUSED_RATE},
        {MHD_HTTP_INTERNAL_SERVER_ERROR, REFUSED_INTERNAL},
        {MHD_HTTP_SERVICE_UNAVAILABLE, REFUSED_MEMORY},
    };
    for (size_t i = 0; i < ARRAY_LEN(table); i++)
        if (table[i].status == status)
            return table[i].reason;
    return REFUSED_REQUEST;
}

/* ── How often ──────────────────────────────────────────────────────────────────────────────── */

/* As in rate.c, for all clients of this worker together. */
static bool may_all(struct refusals *refusals, enum refusal reason, int64_t now_us)
{
    int64_t *full_us = &refusals->full_us[reason];
    int64_t next = (*full_us > now_us ? *full_us : now_us) + OF_ALL_EACH_US;
    if (next - now_us > OF_ALL_BURST * OF_ALL_EACH_US)
        return false;
    *full_us = next;
    return true;
}

static bool may_log(struct http *http, enum refusal reason, const char *client)
{
    char key[128];
    int64_t now_us = monotonic_us();
    snprintf(key, sizeof(key), "%s %s", refusal_name(reason), client);
    if (rates_take(http->rates, key, OF_ONE_RATE, OF_ONE_BURST, now_us) == 0 &&
        may_all(&http->refusals, reason, now_us))
        return true;
    http->refusals.silent[reason]++;
    if (!http->refusals.summary.armed)
        timer_set(&http->refusals.summary, SUMMARY_MS);
    return false;
}

void refusals_summary(void *user)
{
    struct http *http = user;
    for (size_t i = 0; i < REFUSALS; i++) {
        const struct log_field fields[] = {{"reason", .text = refusal_name((enum refusal)i)},
                                           {"count", .number = http->refusals.silent[i]}};
        if (http->refusals.silent[i] > 0)
            log_record(http->log, LOG_NOTICE, "further requests were refused", fields,
                       ARRAY_LEN(fields));
        http->refusals.silent[i] = 0;
    }
}

/* ── Telling ────────────────────────────────────────────────────────────────────────────────── */

static void count_and_log(struct http *http, const struct exchange *exchange, unsigned status,
                          const char *client, const char *key)
{
    enum refusal reason = exchange != NULL ? exchange->refusal : REFUSED_BY_STATUS;
    char endpoint[64] = "";
    if (reason == REFUSED_BY_STATUS)
        reason = reason_of(status);
    metrics_add(&http->metrics->refused[reason], 1);
    if (!may_log(http, reason, key))
        return;
    if (exchange != NULL && exchange->route != NULL)
        snprintf(endpoint, sizeof(endpoint), "%s %s", exchange->route->method,
                 exchange->route->path);
    const struct log_field fields[] = {
        {"id", .text = exchange != NULL ? exchange->id : NULL, .number = -1},
        {"client", .text = client, .number = -1},
        {"token", .text = exchange != NULL ? exchange->client.token : NULL, .number = -1},
        {"endpoint", .text = endpoint[0] != '\0' ? endpoint : NULL, .number = -1},
        {"status", .number = (int64_t)status},
        {"reason", .text = refusal_name(reason)},
        {"field", .text = exchange != NULL ? exchange->refused_field : NULL, .number = -1},
    };
    log_record(http->log, LOG_NOTICE, "request refused", fields, ARRAY_LEN(fields));
}

void refusal_tell(struct connection *connection, unsigned status)
{
    const struct incoming *incoming = connection->incoming;
    char address[ADDRESS_TEXT_SIZE], key[ADDRESS_TEXT_SIZE];
    if (status < 400 || (incoming != NULL && incoming->exchange.no_refusal))
        return;
    if (incoming != NULL) {
        count_and_log(connection->http, &incoming->exchange, status, incoming->client.address,
                      incoming->client.key);
        return;
    }
    struct address subscriber = address_subscriber(&connection->address);
    count_and_log(connection->http, NULL, status, address_text(&connection->address, address),
                  address_text(&subscriber, key));
}

/* libmicrohttpd itself refuses what it can't read as HTTP. It tells so only in its log, without the
 * client. */
void refusal_overheard(void *user, const char *format, va_list arguments)
{
    struct daemon *daemon = user;
    if (strstr(format, "HTTP response code is %u") == NULL)
        return;
    unsigned status = va_arg(arguments, unsigned);
    metrics_response(daemon->http->metrics, status);
    if (status >= 400)
        count_and_log(daemon->http, NULL, status, NULL, "");
}

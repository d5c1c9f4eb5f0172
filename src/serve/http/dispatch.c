/* From a request's header to what answers it. Each check refuses with one sentence. They stand in
 * the order in which they are made. */
#include <microhttpd.h>
#include <nettle/base16.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "common/util.h"
#include "serve/http/answers.h"
#include "serve/http/dispatch.h"
#include "serve/http/guard.h"
#include "serve/http/http_state.h"
#include "serve/http/identify.h"
#include "serve/http/incoming.h"
#include "serve/http/route.h"

/* ── The message itself ─────────────────────────────────────────────────────────────────────── */

static void set_id(struct incoming *incoming)
{
    const char *given = incoming->asked.headers[HEADER_REQUEST_ID];
    char *id = incoming->exchange.id;
    size_t size =
        given == NULL
            ? 0
            : strspn(given, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-");
    if (size > 0 && size < sizeof(incoming->exchange.id) && given[size] == '\0') {
        memcpy(id, given, size + 1);
        return;
    }
    uint8_t bytes[8] = {0};
    (void)!getrandom(bytes, sizeof(bytes), GRND_NONBLOCK);
    base16_encode_update(id, sizeof(bytes), bytes);
    id[BASE16_ENCODE_LENGTH(sizeof(bytes))] = '\0';
}

/* Refuses what proxies and servers are known to read differently, because another request may hide
 * in such a body (request smuggling, RFC 9112, 11.2). */
static bool check_framing(struct incoming *incoming, const char *version)
{
    const char *coding = incoming->asked.headers[HEADER_TRANSFER_ENCODING];
    const char *length = incoming->asked.headers[HEADER_CONTENT_LENGTH];
    incoming->asked.has_body = coding != NULL || (length != NULL && strtoull(length, NULL, 10) > 0);
    incoming->answer.close = true;
    if (incoming->connection->wrong != NULL)
        return REFUSE(incoming, MHD_HTTP_BAD_REQUEST, NULL, "%s", incoming->connection->wrong);
    if (head_end(&incoming->asked.head))
        return REFUSE(incoming, MHD_HTTP_BAD_REQUEST, NULL,
                      "the request's head is malformed: send 'METHOD target HTTP/1.1' with one "
                      "space between each, then each header on one line as 'Name: value' without a "
                      "space before the colon; end each line with CRLF, and send no NUL");
    if (incoming->asked.headers[HEADER_HOST] == NULL && strcmp(version, "HTTP/1.0") != 0)
        return REFUSE(incoming, MHD_HTTP_BAD_REQUEST, "Host",
                      "HTTP/1.1 requires the header Host: send it");
    if (incoming->asked.twice != NULL)
        return REFUSE(incoming, MHD_HTTP_BAD_REQUEST, incoming->asked.twice,
                      "the header %s came twice: send it once", incoming->asked.twice);
    if (coding != NULL && (length != NULL || strcmp(version, "HTTP/1.0") == 0))
        return REFUSE(incoming, MHD_HTTP_BAD_REQUEST, "Transfer-Encoding",
                      "send either Content-Length or, in HTTP/1.1, Transfer-Encoding");
    if (coding != NULL && strcasecmp(coding, "chunked") != 0)
        return REFUSE(incoming, MHD_HTTP_NOT_IMPLEMENTED, "Transfer-Encoding",
                      "this Transfer-Encoding is not supported: send chunked, or Content-Length");
    incoming->answer.close = false;
    return true;
}

/* Splits "http://name:port/path" into authority and path. False: it does not begin like that.
 * libmicrohttpd has cut off the query. */
static bool split_absolute(struct incoming *incoming)
{
    static const char http[] = "http://", https[] = "https://";
    const char *target = incoming->exchange.path;
    incoming->asked.https = strncasecmp(target, https, sizeof(https) - 1) == 0;
    if (!incoming->asked.https && strncasecmp(target, http, sizeof(http) - 1) != 0)
        return false;
    const char *authority = target + (incoming->asked.https ? sizeof(https) : sizeof(http)) - 1;
    size_t size = strcspn(authority, "/");
    if (size >= sizeof(incoming->asked.authority))
        size = 0; /* no name is that long */
    memcpy(incoming->asked.authority, authority, size);
    incoming->asked.absolute = true;
    /* RFC 9112, 3.2.4: for OPTIONS, an empty path means the whole server. */
    bool options = strcmp(incoming->exchange.method, "OPTIONS") == 0;
    incoming->exchange.path = authority[size] == '/' ? authority + size : options ? "*" : "/";
    return true;
}

/* RFC 9112, 3.2: the target is a path, or a whole URL, as for a proxy. */
static bool check_target(struct incoming *incoming)
{
    const struct connection *connection = incoming->connection;
    const struct http *http = connection->http;
    struct exchange *exchange = &incoming->exchange;
    bool options = strcmp(exchange->method, "OPTIONS") == 0;
    if (*exchange->path == '/' || (options && strcmp(exchange->path, "*") == 0))
        return true;
    if (!split_absolute(incoming))
        return REFUSE(incoming, MHD_HTTP_BAD_REQUEST, NULL,
                      "the request target must be a path that begins with /, or http://HOST/PATH");
    if (*incoming->asked.authority == '\0' || strchr(incoming->asked.authority, '@') != NULL)
        return REFUSE(incoming, MHD_HTTP_BAD_REQUEST, NULL,
                      "the request target must have the form http://HOST/PATH, without a user");
    /* RFC 9110, 7.4: a client that asks for https: relies on encryption. */
    if (incoming->asked.https && !connection->daemon->tls &&
        !networks_hold(http->proxies, http->proxies_count, &connection->address))
        return REFUSE(incoming, MHD_HTTP_MISDIRECTED_REQUEST, NULL,
                      "this connection is not https: ask for http://%.100s, or connect with TLS",
                      incoming->asked.authority);
    return true;
}

static bool check_length(struct incoming *incoming, int64_t most)
{
    const char *length = incoming->asked.headers[HEADER_CONTENT_LENGTH];
    /* libmicrohttpd has checked that it is a number. */
    if (length == NULL || strtoull(length, NULL, 10) <= (unsigned long long)most)
        return true;
    incoming->answer.close = true;
    return REFUSE(incoming, MHD_HTTP_CONTENT_TOO_LARGE, "body",
                  "the body is larger than %lld bytes: send less", (long long)most);
}

/* Before the token is known, the largest bound of all counts. */
static bool check_size(struct incoming *incoming)
{
    const struct config *config = incoming->connection->http->config;
    int64_t most = tokens_most_body(incoming->connection->http->tokens);
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(incoming->connection->mhd, MHD_CONNECTION_INFO_REQUEST_HEADER_SIZE);
    incoming->answer.close = true;
    if (info != NULL && info->header_size > (size_t)config->header_bytes)
        return REFUSE(incoming, MHD_HTTP_REQUEST_HEADER_FIELDS_TOO_LARGE, NULL,
                      "the request's header is larger than %lld bytes: send less",
                      (long long)config->header_bytes);
    incoming->answer.close = false;
    return check_length(incoming, most > config->body_bytes ? most : config->body_bytes);
}

/* ── Pages of other sites ───────────────────────────────────────────────────────────────────── */

static bool check_guard(struct incoming *incoming)
{
    const struct config *config = incoming->connection->http->config;
    /* RFC 9112, 3.2.2: if the target names the host, the Host header does not count. */
    const char *host = incoming->asked.headers[HEADER_HOST];
    const struct guard_input input = {
        .method = incoming->exchange.method,
        .host = incoming->asked.absolute ? incoming->asked.authority : host,
        .ignored_host = incoming->asked.absolute ? host : NULL,
        .origin = incoming->asked.headers[HEADER_ORIGIN],
        .fetch_site = incoming->asked.headers[HEADER_FETCH_SITE],
        .private_socket = incoming->connection->address.family == AF_UNIX};
    struct sb_error err;
    unsigned status = guard_check(config, &input, &err);
    if (status == MHD_HTTP_FORBIDDEN)
        incoming->exchange.refusal = REFUSED_ORIGIN;
    if (status != 0)
        return REFUSE(incoming, status, err.field, "%s", err.message);
    incoming->answer.allows_origin =
        input.origin != NULL && guard_origin_configured(config, input.origin);
    return true;
}

/* ── What is asked for ──────────────────────────────────────────────────────────────────────── */

static bool method_is(const char *method, const char *of_route)
{
    return strcmp(method, of_route) == 0 ||
           (strcmp(method, "HEAD") == 0 && strcmp(of_route, "GET") == 0);
}

/* Whether a path is that of a route. `resource` (may be NULL) gets what stands in the place of
 * {id}. */
static bool path_is(const char *path, const char *of_route, char resource[65])
{
    static const char hole[] = "{id}";
    const char *at = strstr(of_route, hole);
    if (at == NULL)
        return strcmp(path, of_route) == 0;
    size_t before = (size_t)(at - of_route);
    if (strncmp(path, of_route, before) != 0)
        return false;
    size_t size = strcspn(path + before, "/");
    if (size == 0 || strcmp(path + before + size, at + sizeof(hole) - 1) != 0)
        return false;
    if (resource != NULL)
        snprintf(resource, 65, "%.*s", size < 65 ? (int)size : 0, path + before);
    return true;
}

/* "GET, HEAD, OPTIONS": the methods of a path; false when there is no such path. */
static bool allowed_methods(const char *path, char *allowed, size_t size)
{
    size_t used = 0;
    bool found = false;
    *allowed = '\0';
    for (size_t i = 0; i < routes_count && used < size; i++) {
        if (!path_is(path, routes[i].path, NULL))
            continue;
        bool get = strcmp(routes[i].method, "GET") == 0;
        used += (size_t)snprintf(allowed + used, size - used, "%s, %s", routes[i].method,
                                 get ? "HEAD, " : "");
        found = true;
    }
    if (!found && (asset_find(path) != NULL || strcmp(path, "/") == 0)) {
        used += (size_t)snprintf(allowed, size, "GET, HEAD, ");
        found = true;
    }
    if (used < size)
        snprintf(allowed + used, size - used, "OPTIONS");
    return found;
}

static bool find_route(struct incoming *incoming)
{
    struct exchange *exchange = &incoming->exchange;
    for (size_t i = 0; i < routes_count; i++)
        if (path_is(exchange->path, routes[i].path, exchange->resource) &&
            method_is(exchange->method, routes[i].method))
            exchange->route = &routes[i];
    if (exchange->route != NULL)
        return true;
    char allowed[128];
    if (!allowed_methods(exchange->path, allowed, sizeof(allowed)))
        return REFUSE(incoming, MHD_HTTP_NOT_FOUND, NULL,
                      "there is nothing at %.200s: POST /run runs code, GET /openapi.json lists "
                      "all endpoints",
                      exchange->path);
    incoming->asset = asset_find(exchange->path);
    if (method_is(exchange->method, "GET") &&
        (incoming->asset != NULL || strcmp(exchange->path, "/") == 0))
        return true;
    incoming->asset = NULL;
    exchange_header(exchange, MHD_HTTP_HEADER_ALLOW, allowed);
    return REFUSE(incoming, MHD_HTTP_METHOD_NOT_ALLOWED, NULL, "%.200s accepts %s, not %.20s",
                  exchange->path, allowed, exchange->method);
}

/* Answers OPTIONS: which methods a path accepts, and for browsers (CORS preflight) whether a page
 * of a configured origin may use it. */
static bool answer_options(struct incoming *incoming)
{
    struct exchange *exchange = &incoming->exchange;
    char allowed[128] = "GET, HEAD, POST, DELETE, OPTIONS";
    if (strcmp(exchange->method, "OPTIONS") != 0)
        return true;
    if (strcmp(exchange->path, "*") != 0 &&
        !allowed_methods(exchange->path, allowed, sizeof(allowed)))
        return REFUSE(incoming, MHD_HTTP_NOT_FOUND, NULL,
                      "there is nothing at %.200s: GET /openapi.json lists all endpoints",
                      exchange->path);
    exchange_header(exchange, MHD_HTTP_HEADER_ALLOW, allowed);
    if (incoming->answer.allows_origin && incoming->asked.headers[HEADER_REQUEST_METHOD] != NULL) {
        exchange_header(exchange, "Access-Control-Allow-Methods", allowed);
        exchange_header(exchange, "Access-Control-Allow-Headers",
                        "Authorization, Content-Type, Idempotency-Key, X-Request-Id");
        exchange_header(exchange, "Access-Control-Max-Age", "600");
        if (incoming->asked.headers[HEADER_PRIVATE_NETWORK] != NULL)
            exchange_header(exchange, "Access-Control-Allow-Private-Network", "true");
    }
    incoming_answer_constant(incoming, MHD_HTTP_NO_CONTENT, NULL, "", 0);
    return false;
}

/* Whether a form is one that may be sent; keeps its boundary. */
static unsigned admit_form(struct incoming *incoming, struct sb_error *err)
{
    const char *const *headers = incoming->asked.headers;
    unsigned status = guard_form(headers[HEADER_ORIGIN], headers[HEADER_FETCH_SITE],
                                 headers[HEADER_USER_AGENT], err);
    if (status == MHD_HTTP_FORBIDDEN)
        incoming->exchange.refusal = REFUSED_ORIGIN;
    if (status == 0 &&
        multipart_boundary(incoming->exchange.boundary, headers[HEADER_CONTENT_TYPE], err) < 0)
        status = MHD_HTTP_BAD_REQUEST;
    return status;
}

static bool check_type(struct incoming *incoming)
{
    struct sb_error err;
    unsigned status = 0, flags = incoming->exchange.route->flags;
    const char *type = incoming->asked.headers[HEADER_CONTENT_TYPE];
    bool form = (flags & ROUTE_FORM) != 0;
    /* An empty body is refused later: see dispatch_run. */
    if (incoming->asked.has_body && (flags & ROUTE_BODY) != 0) {
        status = guard_body(type, incoming->asked.headers[HEADER_CONTENT_ENCODING], form, &err);
        if (status == 0 && form && multipart_is_form(type))
            status = admit_form(incoming, &err);
    }
    if (status != 0 && strcmp(err.field, "Content-Encoding") == 0)
        exchange_header(&incoming->exchange, MHD_HTTP_HEADER_ACCEPT_ENCODING, "identity");
    return status == 0 || REFUSE(incoming, status, err.field, "%s", err.message);
}

void dispatch_admit(struct incoming *incoming, const char *version)
{
    set_id(incoming);
    identify(incoming);
    if (!check_framing(incoming, version) || !check_target(incoming) || !check_size(incoming) ||
        !check_guard(incoming) || !answer_options(incoming) || !find_route(incoming))
        return;
    const struct route *route = incoming->exchange.route;
    if (route == NULL || (route->flags & ROUTE_PUBLIC) != 0)
        return;
    (void)(check_token(incoming) && check_length(incoming, incoming->exchange.client.body_bytes) &&
           check_rate(incoming) && check_type(incoming));
}

/* ── Answers ────────────────────────────────────────────────────────────────────────────────── */

/* Whether Accept-Encoding lists a coding and does not refuse it (";q=0"). */
static bool accepts(const char *header, const char *coding)
{
    size_t size = strlen(coding);
    for (const char *item = header; item != NULL && *item != '\0';) {
        item += strspn(item, " \t,");
        size_t length = strcspn(item, ",");
        if (length >= size && strncasecmp(item, coding, size) == 0 &&
            strchr(" \t;,", item[size]) != NULL) {
            const char *q = memmem(item, length, "q=", 2);
            return q == NULL || strtod(q + 2, NULL) > 0;
        }
        item += length;
    }
    return false;
}

static void answer_asset(struct incoming *incoming)
{
    const struct asset *asset = incoming->asset;
    struct exchange *exchange = &incoming->exchange;
    const char *known = incoming->asked.headers[HEADER_IF_NONE_MATCH];
    char etag[128];
    /* Weak, since the compressed form has the same tag. */
    snprintf(etag, sizeof(etag), "W/%s", asset->etag);
    exchange_header(exchange, MHD_HTTP_HEADER_ETAG, etag);
    exchange_header(exchange, MHD_HTTP_HEADER_CACHE_CONTROL, asset->cache);
    exchange_header(exchange, MHD_HTTP_HEADER_VARY, "Accept-Encoding");
    exchange_header(exchange, "Cross-Origin-Resource-Policy", "same-origin");
    if (asset->csp != NULL)
        exchange_header(exchange, "Content-Security-Policy", asset->csp);
    if (known != NULL && (strstr(known, asset->etag) != NULL || strcmp(known, "*") == 0)) {
        incoming_answer_constant(incoming, MHD_HTTP_NOT_MODIFIED, NULL, "", 0);
        return;
    }
    bool gzip =
        asset->gzip != NULL && accepts(incoming->asked.headers[HEADER_ACCEPT_ENCODING], "gzip");
    if (gzip)
        exchange_header(exchange, MHD_HTTP_HEADER_CONTENT_ENCODING, "gzip");
    incoming_answer_constant(incoming, MHD_HTTP_OK, asset->type, gzip ? asset->gzip : asset->data,
                             gzip ? asset->gzip_size : asset->size);
}

void dispatch_run(struct incoming *incoming)
{
    static const char no_page[] =
        "sandbox-serve was built without its web page (meson setup -Dweb=enabled needs npm).\nPOST "
        "/run runs code; GET /openapi.json lists all endpoints.\n";
    struct exchange *exchange = &incoming->exchange;
    if (incoming->asset != NULL)
        answer_asset(incoming);
    else if (exchange->route == NULL)
        incoming_answer_constant(incoming, MHD_HTTP_OK, "text/plain; charset=utf-8", no_page,
                                 sizeof(no_page) - 1);
    else if ((exchange->route->flags & ROUTE_BODY) != 0 && exchange->body_size == 0)
        exchange_error(exchange, MHD_HTTP_BAD_REQUEST, NULL,
                       "the body is empty: send a JSON object such as {\"code\": \"print(1)\"}");
    else
        exchange->route->handle(exchange);
}

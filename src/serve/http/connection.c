/* Connections: what each is doing, for how long it may, and whether its client is still there.
 * Every byte renews libmicrohttpd's own timeout. Here a whole header, body or answer has one
 * deadline, so that a client gains nothing by sending a byte a second. */
#include <errno.h>
#include <fcntl.h>
#include <gnutls/gnutls.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "common/util.h"
#include "serve/http/answer_stream.h"
#include "serve/http/connection.h"
#include "serve/http/error_json.h"
#include "serve/http/http_state.h"
#include "serve/http/incoming.h"
#include "serve/http/linger.h"
#include "serve/http/presence.h"

enum {
    HALF_CLOSED_MS = 100, /* for a client that has closed its sending half */
    LOOK_FIRST_MS = 50,   /* its close(2) may be under way */
    LOOK_MS = 1000,
    LOOKS_INTERIM = 5, /* every fifth look, the third one first, asks the client itself */
};

/* ── Phases ─────────────────────────────────────────────────────────────────────────────────── */

static int64_t time_for(const struct config *config, enum connection_phase phase)
{
    switch (phase) {
    case PHASE_CONNECTED:
    case PHASE_HEADER:
        return config->header_timeout_ms;
    case PHASE_BODY:
        return config->body_timeout_ms;
    case PHASE_ANSWER:
    case PHASE_IDLE:
        return config->idle_timeout_ms;
    case PHASE_WAIT:
    case PHASE_CLOSING:
    case PHASES:
        break;
    }
    return -1;
}

/* Sets the timer only for an earlier deadline: most deadlines are never reached, and cost no system
 * call. */
static void arm_timer(struct http *http, int64_t deadline_ms, int64_t now)
{
    if (deadline_ms >= http->armed_ms)
        return;
    http->armed_ms = deadline_ms;
    timer_set(&http->deadline_timer, deadline_ms > now ? deadline_ms - now : 0);
}

/* Whether a phase waits for data from the client. One that has closed its sending half sends no
 * more than has arrived. libmicrohttpd may not notice: it stops reading when one read gives less
 * than it asked for. */
static bool wants_more(enum connection_phase phase)
{
    return phase <= PHASE_BODY || phase == PHASE_IDLE;
}

static bool is_local(const struct connection *connection)
{
    return connection->address.family == AF_UNIX;
}

static int64_t time_left(const struct connection *connection, enum connection_phase phase)
{
    int64_t time = time_for(connection->http->config, phase);
    if (connection->half_closed && phase == PHASE_WAIT && !is_local(connection))
        return connection->looks == 0 ? LOOK_FIRST_MS : LOOK_MS;
    if (phase == PHASE_WAIT && stream_is_open(connection->incoming))
        return STREAM_SILENCE_MS;
    return connection->half_closed && wants_more(phase) && time > HALF_CLOSED_MS ? HALF_CLOSED_MS
                                                                                 : time;
}

void connection_enter(struct connection *connection, enum connection_phase phase, int64_t more_ms)
{
    struct http *http = connection->http;
    struct connection_list *list = &http->phases[phase];
    int64_t time = time_left(connection, phase), now = monotonic_us() / 1000;
    TAILQ_REMOVE(&http->phases[connection->phase], connection, link);
    connection->phase = phase;
    connection->deadline_ms = time < 0 ? INT64_MAX : now + time + more_ms;
    /* The list is sorted by deadline; most are inserted last. */
    struct connection *before = TAILQ_LAST(list, connection_list);
    while (before != NULL && before->deadline_ms > connection->deadline_ms)
        before = TAILQ_PREV(before, connection_list, link);
    if (before == NULL)
        TAILQ_INSERT_HEAD(list, connection, link);
    else
        TAILQ_INSERT_AFTER(list, before, connection, link);
    arm_timer(http, connection->deadline_ms, now);
}

void connection_shut(struct connection *connection)
{
    shutdown(connection->watch.fd, SHUT_RDWR);
    connection_enter(connection, PHASE_CLOSING, 0);
}

/* ── Answers past libmicrohttpd ─────────────────────────────────────────────────────────────── */

/* How many bytes the socket's buffer has taken; −1: none. */
static ssize_t send_past(struct connection *connection, const char *text, size_t size)
{
    if (!connection->daemon->tls)
        return send(connection->watch.fd, text, size, MSG_NOSIGNAL | MSG_DONTWAIT);
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection->mhd, MHD_CONNECTION_INFO_GNUTLS_SESSION);
    return info != NULL ? gnutls_record_send(info->tls_session, text, size) : -1;
}

void connection_say(struct connection *connection, unsigned status, const char *id,
                    const char *body, size_t size)
{
    char *text = NULL;
    int length = asprintf(&text,
                          "HTTP/1.1 %u %s\r\nContent-Type: application/json\r\n"
                          "Content-Length: %zu\r\nConnection: close\r\nCache-Control: no-store\r\n"
                          "X-Content-Type-Options: nosniff\r\nReferrer-Policy: no-referrer\r\n"
                          "%s%s%s\r\n%.*s",
                          status, MHD_get_reason_phrase_for(status), size,
                          id != NULL ? "X-Request-Id: " : "", id != NULL ? id : "",
                          id != NULL ? "\r\n" : "", (int)size, body != NULL ? body : "");
    if (length < 0)
        return;
    metrics_response(connection->http->metrics, status);
    refusal_tell(connection, status);
    send_past(connection, text, (size_t)length); /* the rest, if it does not fit, is given up */
    free(text);
}

/* ── Clients that have closed their sending half ────────────────────────────────────────────── */

/* Such a client may wait for its answer, or be gone. On a UNIX socket the kernel tells which
 * (EPOLLHUP), and with TCP if the client is on this host (presence.h). If it was on another host
 * and is gone, that host answers whatever we send with a reset. The only thing that we can send
 * before the answer is 100 Continue, which each client of HTTP/1.1 ignores (RFC 9110, 15.2.1), and
 * in the middle of an answer in parts its pulse. */

static void client_left(struct connection *connection)
{
    connection->gone = true;
    incoming_leave(connection->incoming);
    connection_enter(connection, PHASE_CLOSING, 0);
}

bool connection_is_gone(const struct connection *connection)
{
    return connection->gone || (connection->half_closed && !is_local(connection) &&
                                presence_of_peer(connection->watch.fd) == PRESENCE_GONE);
}

/* −1: only a part of it was sent, which the client would take for part of an answer. */
static int send_interim(struct connection *connection)
{
    static const char text[] = "HTTP/1.1 100 Continue\r\n\r\n";
    ssize_t sent = send_past(connection, text, sizeof(text) - 1);
    return sent > 0 && sent < (ssize_t)sizeof(text) - 1 ? -1 : 0;
}

static void check_presence(struct connection *connection)
{
    struct incoming *incoming = connection->incoming;
    enum presence presence = presence_of_peer(connection->watch.fd);
    bool ask = presence == PRESENCE_UNKNOWN && connection->looks % LOOKS_INTERIM == 2;
    bool streams = stream_is_open(incoming);
    if (presence == PRESENCE_GONE ||
        (ask && !streams && incoming->asked.interim && send_interim(connection) < 0)) {
        client_left(connection);
        return;
    }
    connection_enter(connection, PHASE_WAIT, 0);
    connection->looks++;
    if (streams && (ask || stream_is_silent(incoming)))
        stream_pulse(incoming);
}

/* The client has closed its sending half, or the whole connection. While its request waits for a
 * job, nothing else would notice. */
static void client_closed(void *user, uint32_t events)
{
    struct connection *connection = user;
    connection->half_closed = true;
    connection->gone |= (events & (EPOLLHUP | EPOLLERR)) != 0;
    if (connection->phase == PHASE_WAIT && connection->gone)
        client_left(connection);
    else if (connection->phase == PHASE_WAIT && !is_local(connection))
        check_presence(connection);
    else if (wants_more(connection->phase))
        connection_enter(connection, connection->phase, 0);
}

/* ── What is overdue ────────────────────────────────────────────────────────────────────────── */

static void expire(struct connection *connection)
{
    static const char sentence[] =
        "the request came too slowly: send it faster, or in smaller parts";
    if (connection->phase == PHASE_WAIT && connection->half_closed && !is_local(connection)) {
        check_presence(connection);
        return;
    }
    if (connection->phase == PHASE_WAIT) {
        stream_pulse(connection->incoming);
        return;
    }
    if (connection->phase == PHASE_HEADER || connection->phase == PHASE_BODY) {
        size_t size = 0;
        _cleanup_free_ char *body = error_json(NULL, sentence, &size);
        const char *id = connection->incoming != NULL ? connection->incoming->exchange.id : NULL;
        connection_say(connection, MHD_HTTP_REQUEST_TIMEOUT, id, body, size);
    }
    connection_shut(connection);
}

void connections_expire(void *user)
{
    struct http *http = user;
    int64_t now = monotonic_us() / 1000, next = INT64_MAX;
    http->armed_ms = INT64_MAX;
    for (size_t i = 0; i < PHASES; i++) {
        struct connection *first;
        while ((first = TAILQ_FIRST(&http->phases[i])) != NULL && first->deadline_ms <= now)
            expire(first);
        if (first != NULL && first->deadline_ms < next)
            next = first->deadline_ms;
    }
    arm_timer(http, next, now);
}

/* ── Coming and going ───────────────────────────────────────────────────────────────────────── */

static struct connection *make_connection(struct daemon *daemon, struct MHD_Connection *mhd)
{
    struct http *http = daemon->http;
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_CONNECTION_FD);
    struct connection *connection = calloc(1, sizeof(*connection));
    if (connection == NULL || info == NULL) {
        free(connection);
        return NULL;
    }
    *connection = (struct connection){.http = http,
                                      .daemon = daemon,
                                      .mhd = mhd,
                                      .watch = {info->connect_fd, client_closed, connection}};
    /* Edge-triggered, and never changed: it costs nothing until the client closes something. */
    if (loop_add(http->loop, &connection->watch, EPOLLRDHUP | EPOLLET) < 0) {
        free(connection);
        return NULL;
    }
    TAILQ_INSERT_TAIL(&http->phases[PHASE_CONNECTED], connection, link);
    connection_enter(connection, PHASE_CONNECTED, 0);
    daemon->connections++;
    http->connections++;
    http->newcomer = connection;
    metrics_set(&http->metrics->connections, (int64_t)http->connections);
    return connection;
}

static void free_connection(struct connection *connection)
{
    struct http *http = connection->http;
    loop_remove(http->loop, &connection->watch);
    TAILQ_REMOVE(&http->phases[connection->phase], connection, link);
    peer_leave(connection->peer);
    connection->daemon->connections--;
    http->connections--;
    metrics_set(&http->metrics->connections, (int64_t)http->connections);
    if (connection->linger && !connection->half_closed)
        linger(http, connection->watch.fd);
    free(connection);
}

void connection_notify(void *daemon, struct MHD_Connection *mhd, void **context,
                       enum MHD_ConnectionNotificationCode code)
{
    if (code == MHD_CONNECTION_NOTIFY_STARTED)
        *context = make_connection(daemon, mhd);
    else if (*context != NULL)
        free_connection(*context);
}

struct connection *connection_of(struct MHD_Connection *mhd)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    return info != NULL ? info->socket_context : NULL;
}

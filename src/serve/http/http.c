/* The daemons of libmicrohttpd, run from our loop. They neither listen nor time out: accept.c hands
 * them connections, and connection.c keeps the deadlines. See libmicrohttpd(3) and microhttpd.h. */
#include "serve/http/http.h"

#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>

#include "common/error.h"
#include "common/util.h"
#include "serve/http/answer_stream.h"
#include "serve/http/http_state.h"
#include "serve/http/incoming.h"
#include "serve/http/linger.h"
#include "serve/http/tls.h"

/* A connection's memory holds the request's header, what libmicrohttpd makes of it, and the
 * answer's header. */
enum { POOL_EXTRA = 16 * 1024, RUNS_AT_ONCE = 8 };

/* ── Running ────────────────────────────────────────────────────────────────────────────────── */

static void close_daemon(struct daemon *daemon)
{
    loop_remove(daemon->http->loop, &daemon->watch);
    MHD_stop_daemon(daemon->mhd);
    LIST_REMOVE(daemon, link);
    free(daemon);
}

/* A timeout of zero means that connections have more to do without a new event. */
static void run_daemon(struct daemon *daemon)
{
    MHD_UNSIGNED_LONG_LONG timeout = 0;
    daemon->pending = false;
    int runs = 0;
    do {
        MHD_run(daemon->mhd);
    } while (MHD_get_timeout(daemon->mhd, &timeout) == MHD_YES && timeout == 0 &&
             ++runs < RUNS_AT_ONCE);
    if (runs == RUNS_AT_ONCE)
        timer_set(&daemon->http->run_timer, 0); /* after other events */
}

static void daemon_ready(void *user, uint32_t events)
{
    (void)events;
    daemon_wake(user); /* run once, behind all events of this round */
}

static void run_pending(void *user)
{
    struct http *http = user;
    const size_t connections = http->connections;
    for (struct daemon *daemon = LIST_FIRST(&http->daemons), *next; daemon != NULL; daemon = next) {
        next = LIST_NEXT(daemon, link);
        if (daemon->pending)
            run_daemon(daemon);
        if (daemon->retiring && daemon->connections == 0)
            close_daemon(daemon);
    }
    if (http->connections < connections)
        doors_reopen(http);
    if (http->draining && http->connections == 0 && http->empty != NULL) {
        void (*empty)(void *) = http->empty;
        http->empty = NULL;
        empty(http->empty_user);
    }
}

static void wake_all(void *user)
{
    struct http *http = user;
    struct daemon *daemon;
    LIST_FOREACH(daemon, &http->daemons, link)
    daemon_wake(daemon);
}

/* ── Daemons ────────────────────────────────────────────────────────────────────────────────── */

/* Paths are compared as they were sent: escapes such as %2e are not decoded. */
static size_t keep_escapes(void *user, struct MHD_Connection *mhd, char *text)
{
    (void)user, (void)mhd;
    return strlen(text);
}

static struct MHD_Daemon *start_mhd(struct daemon *daemon, const char *certificates,
                                    const char *key)
{
    const struct config *config = daemon->http->config;
    unsigned flags =
        MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_NO_LISTEN_SOCKET | MHD_USE_ERROR_LOG;
    /* GnuTLS would still speak TLS 1.0 and 1.1 (RFC 8996). */
    static const char versions[] = "NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2";
    struct MHD_OptionItem tls[] = {{MHD_OPTION_HTTPS_MEM_CERT, 0, (void *)(intptr_t)certificates},
                                   {MHD_OPTION_HTTPS_MEM_KEY, 0, (void *)(intptr_t)key},
                                   {MHD_OPTION_HTTPS_PRIORITIES, 0, (void *)(intptr_t)versions},
                                   {MHD_OPTION_END, 0, NULL}};
    struct MHD_OptionItem none[] = {{MHD_OPTION_END, 0, NULL}};
    return MHD_start_daemon(
        flags | (daemon->tls ? MHD_USE_TLS : 0), 0, NULL, NULL, incoming_handle, daemon,
        MHD_OPTION_EXTERNAL_LOGGER, refusal_overheard, daemon, MHD_OPTION_ARRAY,
        daemon->tls ? tls : none, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
        (size_t)config->header_bytes + POOL_EXTRA, MHD_OPTION_CONNECTION_LIMIT,
        (unsigned)config->connections + 1, MHD_OPTION_CONNECTION_TIMEOUT, 0u,
        MHD_OPTION_SIGPIPE_HANDLED_BY_APP, 1, MHD_OPTION_NOTIFY_CONNECTION, connection_notify,
        daemon, MHD_OPTION_NOTIFY_COMPLETED, incoming_completed, daemon,
        MHD_OPTION_URI_LOG_CALLBACK, incoming_begins, daemon, MHD_OPTION_UNESCAPE_CALLBACK,
        keep_escapes, NULL, MHD_OPTION_END);
}

static struct daemon *open_daemon(struct http *http, const char *certificates, const char *key,
                                  struct sb_error *err)
{
    struct daemon *daemon = calloc(1, sizeof(*daemon));
    if (daemon == NULL) {
        sb_fail(err, "http", 0, "out of memory (the HTTP server)");
        return NULL;
    }
    daemon->http = http;
    daemon->tls = certificates != NULL;
    daemon->mhd = start_mhd(daemon, certificates, key);
    const union MHD_DaemonInfo *info =
        daemon->mhd != NULL ? MHD_get_daemon_info(daemon->mhd, MHD_DAEMON_INFO_EPOLL_FD) : NULL;
    if (info != NULL)
        daemon->watch = (struct watch){info->epoll_fd, daemon_ready, daemon};
    if (info == NULL || loop_add(http->loop, &daemon->watch, EPOLLIN) < 0) {
        if (daemon->mhd != NULL)
            MHD_stop_daemon(daemon->mhd);
        free(daemon);
        sb_fail(err, "http", 0, "libmicrohttpd does not start%s: it must be built with epoll%s",
                certificates ? " with these certificates" : "", certificates ? " and TLS" : "");
        return NULL;
    }
    LIST_INSERT_HEAD(&http->daemons, daemon, link);
    return daemon;
}

int http_reload_tls(struct http *http, struct sb_error *err)
{
    _cleanup_free_ char *certificates = NULL, *key = NULL;
    int64_t expiry;
    if (http->config->tls_cert == NULL)
        return 0;
    if (tls_load(http->config, &certificates, &key, &expiry, err) < 0)
        return -1;
    struct daemon *fresh = open_daemon(http, certificates, key, err);
    explicit_bzero(key, strlen(key));
    if (fresh == NULL)
        return -1;
    if (http->tls != NULL)
        http->tls->retiring = true; /* its connections keep the certificates they began with */
    http->tls = fresh;
    metrics_set(&http->metrics->certificate_expiry, expiry);
    return 0;
}

/* ── The whole ──────────────────────────────────────────────────────────────────────────────── */

struct tokens *const *http_tokens(const struct http *http)
{
    return &http->tokens;
}

int http_reload_tokens(struct http *http, struct sb_error *err)
{
    struct tokens *fresh = NULL;
    if (http->config->tokens == NULL)
        return 0;
    if (tokens_load(&fresh, http->config->tokens, err) < 0)
        return -1;
    tokens_free(http->tokens);
    http->tokens = fresh;
    return 0;
}

static int read_proxies(struct http *http, struct sb_error *err)
{
    char **texts = http->config->trusted_proxies;
    for (size_t i = 0; texts != NULL && texts[i] != NULL; i++) {
        struct network *more = reallocarray(http->proxies, http->proxies_count + 1, sizeof(*more));
        if (more == NULL)
            return sb_fail(err, "config", 0, "out of memory (trusted proxies)");
        http->proxies = more;
        if (!network_parse(&more[http->proxies_count++], texts[i]))
            return sb_fail_field(
                err, "config", "trusted-proxy",
                "'%.60s' is neither an address nor a network: give one such as 10.0.0.1, "
                "10.0.0.0/8, fd00::/8, or unix",
                texts[i]);
    }
    return 0;
}

static int open_timers(struct http *http, struct sb_error *err)
{
    if (timer_open(&http->run_timer, http->loop, wake_all, http) < 0 ||
        timer_open(&http->door_timer, http->loop, doors_open, http) < 0 ||
        timer_open(&http->deadline_timer, http->loop, connections_expire, http) < 0 ||
        timer_open(&http->refusals.summary, http->loop, refusals_summary, http) < 0)
        return sb_fail(err, "http", errno, "can't create timers");
    return 0;
}

int http_open(struct http **result, const struct http_setup *setup, struct sb_error *err)
{
    struct http *http = calloc(1, sizeof(*http));
    if (http == NULL)
        return sb_fail(err, "http", 0, "out of memory (the HTTP server)");
    *http = (struct http){.config = setup->config,
                          .loop = setup->loop,
                          .log = setup->log,
                          .service = setup->service,
                          .metrics = setup->metrics,
                          .all_metrics = setup->all_metrics,
                          .rates = setup->rates,
                          .armed_ms = INT64_MAX};
    for (size_t i = 0; i < PHASES; i++)
        TAILQ_INIT(&http->phases[i]);
    if (spool_find(&http->spool, http->config->upload_dir, err) < 0 || open_timers(http, err) < 0 ||
        read_proxies(http, err) < 0 || http_reload_tokens(http, err) < 0 ||
        (http->plain = open_daemon(http, NULL, NULL, err)) == NULL ||
        http_reload_tls(http, err) < 0) {
        http_close(http);
        return -1;
    }
    loop_on_round(http->loop, run_pending, http);
    *result = http;
    return 0;
}

void http_close_answered(struct http *http)
{
    http->last_answers = true;
}

void http_drain(struct http *http, void (*empty)(void *user), void *user)
{
    http_close_answered(http);
    http->draining = true;
    http->empty = empty;
    http->empty_user = user;
    doors_close(http);
    /* Connections without a request are closed at once. */
    static const enum connection_phase quiet[] = {PHASE_CONNECTED, PHASE_IDLE};
    for (size_t i = 0; i < ARRAY_LEN(quiet); i++)
        while (!TAILQ_EMPTY(&http->phases[quiet[i]]))
            connection_shut(TAILQ_FIRST(&http->phases[quiet[i]]));
}

void http_clients_leave(struct http *http)
{
    while (!TAILQ_EMPTY(&http->phases[PHASE_WAIT])) {
        struct connection *connection = TAILQ_FIRST(&http->phases[PHASE_WAIT]);
        incoming_leave(connection->incoming);
        connection_enter(connection, PHASE_CLOSING, 0);
    }
    struct connection *connection, *next;
    for (connection = TAILQ_FIRST(&http->phases[PHASE_ANSWER]); connection != NULL;
         connection = next) {
        next = TAILQ_NEXT(connection, link);
        if (stream_is_open(connection->incoming)) {
            incoming_forget(connection->incoming);
            connection_shut(connection);
        }
    }
}

void http_close(struct http *http)
{
    if (http == NULL)
        return;
    doors_close(http);
    /* libmicrohttpd aborts when it is stopped with suspended connections. */
    http_clients_leave(http);
    while (!LIST_EMPTY(&http->daemons))
        close_daemon(LIST_FIRST(&http->daemons));
    linger_close_all(http);
    refusals_summary(http);
    timer_close(&http->refusals.summary, http->loop);
    timer_close(&http->run_timer, http->loop);
    timer_close(&http->door_timer, http->loop);
    timer_close(&http->deadline_timer, http->loop);
    tokens_free(http->tokens);
    free(http->proxies);
    free(http);
}

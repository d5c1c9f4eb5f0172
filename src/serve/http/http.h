/* HTTP: from accepted connections to exchanges and back. libmicrohttpd speaks the protocol, without
 * threads: our loop waits for its epoll descriptor. */
#ifndef SERVE_HTTP_H
#define SERVE_HTTP_H

#include "serve/config/config.h"
#include "serve/config/tokens.h"
#include "serve/http/listen.h"
#include "serve/http/rate.h"
#include "serve/process/log.h"
#include "serve/process/loop.h"
#include "serve/process/metrics.h"

struct http;
struct service;

/* All of these must live as long as the struct http. */
struct http_setup {
    const struct config *config;
    struct loop *loop;
    struct log *log;
    struct service *service;
    struct metrics *metrics;           /* this worker's */
    const struct metrics *all_metrics; /* of all config->workers workers */
    struct rates *rates;
};

/* Reads tokens and certificates. */
int http_open(struct http **http, const struct http_setup *setup, struct sb_error *err);

/* Starts accepting connections. `listeners` must live until http_drain or http_close. */
int http_listen(struct http *http, const struct listeners *listeners, struct sb_error *err);

/* Closes each connection after its answer, and tells clients so. Connections without a request stay
 * open: one may be on its way. */
void http_close_answered(struct http *http);

/* Accepts no more connections, and closes each after its answer. `empty` is called once none is
 * left. */
void http_drain(struct http *http, void (*empty)(void *user), void *user);

/* The tokens in force, now and after a reload; what it points to is NULL when none are needed. */
struct tokens *const *http_tokens(const struct http *http);

/* Reads tokens or certificates again. On an error the old ones are kept. */
int http_reload_tokens(struct http *http, struct sb_error *err);
int http_reload_tls(struct http *http, struct sb_error *err);

/* Treats the clients of all waiting requests as gone. Call it before the service is closed. */
void http_clients_leave(struct http *http);

/* Closes all connections. NULL is allowed. No exchange may be waiting. */
void http_close(struct http *http);

#endif

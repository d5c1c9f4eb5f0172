/* HTTP: from accepted connections to exchanges and back. libmicrohttpd does the protocol, without
 * threads: its epoll descriptor is one of those that our loop waits for. */
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

/* What it works with; all of it must live as long. */
struct http_setup {
    const struct config *config;
    struct loop *loop;
    struct log *log;
    struct service *service;
    struct metrics *metrics; /* this worker's */
    struct rates *rates;
};

/* Reads tokens and certificates. */
int http_open(struct http **http, const struct http_setup *setup, struct sb_error *err);

/* Begins to accept connections. `listeners` must live until http_drain or http_close. */
int http_listen(struct http *http, const struct listeners *listeners, size_t worker,
                struct sb_error *err);

/* Accepts no more, and answers end their connections. `empty` is called once none is left. */
void http_drain(struct http *http, void (*empty)(void *user), void *user);

/* Reads tokens or certificates anew; on an error the old ones stay. */
int http_reload_tokens(struct http *http, struct sb_error *err);
int http_reload_tls(struct http *http, struct sb_error *err);

/* Takes the clients of all requests that wait as gone, before the service is closed. */
void http_clients_leave(struct http *http);

/* Closes all connections. NULL is allowed. No exchange may wait. */
void http_close(struct http *http);

#endif

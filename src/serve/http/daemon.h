/* A daemon of libmicrohttpd: one speaks plain HTTP, one TLS (http.c). */
#ifndef SERVE_DAEMON_H
#define SERVE_DAEMON_H

#include <microhttpd.h>
#include <stdbool.h>
#include <sys/queue.h>

#include "serve/process/loop.h"

struct http;

struct daemon {
    struct http *http;
    struct MHD_Daemon *mhd;
    struct watch watch; /* of its epoll descriptor */
    bool tls;
    bool retiring; /* new certificates have replaced its own: it is closed with its last connection
                    */
    bool pending;  /* must be run before the loop sleeps */
    size_t connections;
    LIST_ENTRY(daemon) link;
};

/* Runs it before the loop sleeps again. */
static inline void daemon_wake(struct daemon *daemon)
{
    daemon->pending = true;
}

#endif

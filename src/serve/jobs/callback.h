/* Callbacks: when a stored job has ended, its client is told by a POST of the job's JSON to a URL
 * of its choice (callback_url.h says which it may choose), signed with a secret that it shares with
 * us. At least once: a receiver may get one twice, if its answer is lost.
 *
 * All is sent by libcurl's multi interface in the service's loop. Only names are looked up in
 * threads of libcurl's, as getaddrinfo(3) can wait for seconds. These may run while the service
 * clones processes for jobs: libsandbox's steps call nothing there that takes a lock
 * (src/inside/calls.h), and they close what descriptors a thread has open. */
#ifndef SERVE_CALLBACK_H
#define SERVE_CALLBACK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sandbox.h"
#include "serve/process/log.h"
#include "serve/process/loop.h"
#include "serve/process/metrics.h"

struct callbacks;

struct callbacks_setup {
    const char *const *hosts; /* of --callback-host; NULL: none, callbacks are refused */
    struct loop *loop;
    struct log *log;
    struct metrics *metrics;
    int64_t first_wait_ms;    /* until the second try; five times as long until each further one */
    int64_t time_limit_ms;    /* of a try */
    const char *ca_file;      /* certificates that are trusted, in PEM; NULL: the system's */
    void (*idle)(void *user); /* called when none is left. NULL: not */
    void *user;
};

/* What the service has for the last three. */
enum { CALLBACK_FIRST_WAIT_MS = 1000, CALLBACK_TIME_LIMIT_MS = 15000 };

/* All is copied. */
struct callback {
    const char *url, *secret;
    const char *id;   /* of the job */
    const char *body; /* JSON */
    size_t size;
};

/* *callbacks is NULL if there are no hosts. */
int callbacks_open(struct callbacks **callbacks, const struct callbacks_setup *setup,
                   struct sb_error *err);

/* Whether a client may choose this URL; `callbacks` may be NULL. Returns 0, or −1 with *err. */
int callbacks_check(const struct callbacks *callbacks, const char *url, struct sb_error *err);

/* Sends a callback, in up to five tries, and logs it if it could not be delivered. */
void callbacks_send(struct callbacks *callbacks, const struct callback *callback);

/* The service stops: what has failed is not tried again. */
void callbacks_drain(struct callbacks *callbacks);

/* How many are not delivered yet, nor given up. NULL: 0. */
size_t callbacks_left(const struct callbacks *callbacks);

/* Drops what is left. NULL is allowed. */
void callbacks_close(struct callbacks *callbacks);

#endif

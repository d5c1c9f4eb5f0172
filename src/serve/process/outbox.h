/* What is on its way to a reader that may stop reading: the log, the service manager. Nothing here
 * waits: what is not taken at once is kept, up to a bound, and offered again later; what is beyond
 * the bound is lost, and counted. */
#ifndef SERVE_OUTBOX_H
#define SERVE_OUTBOX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>
#include <sys/types.h>

#include "serve/process/loop.h"

struct message;

struct outbox {
    /* Sends without waiting: how much was taken, or −1 with errno. `begun`: the first part of this
     * message was taken before. */
    ssize_t (*send)(void *user, const char *data, size_t size, bool begun);
    /* Nothing is kept any more. May put further messages. NULL is allowed. */
    void (*emptied)(void *user);
    void *user;
    size_t bytes_max; /* that are kept; one message alone may be larger */

    int64_t lost; /* messages so far */
    size_t bytes;
    STAILQ_HEAD(messages, message) messages;
    struct loop *loop; /* that `retry` is of; NULL: it is offered again with the next message */
    struct timer retry;
    int64_t wait_ms;
};

/* `send`, `emptied`, `user` and `bytes_max` are set, the rest is zero. */
void outbox_open(struct outbox *outbox);

/* What is kept is offered again by this loop from now on. −1 with errno. */
int outbox_attach(struct outbox *outbox, struct loop *loop);
/* Before the loop is closed. */
void outbox_detach(struct outbox *outbox);

/* Sends it, or keeps a copy, or loses it. */
void outbox_put(struct outbox *outbox, const void *data, size_t size);

/* Offers what is kept. */
void outbox_flush(struct outbox *outbox);

/* The same until all is taken or the time is over: at the end of a process. */
void outbox_finish(struct outbox *outbox, int64_t time_ms);

/* Frees what is kept. */
void outbox_free(struct outbox *outbox);

/* In a child: the same, since its parent sends what is kept, and has the loop. */
void outbox_forked(struct outbox *outbox);

#endif

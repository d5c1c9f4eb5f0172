/* Messages to a reader that may stop reading: the log, the service manager. Nothing here waits.
 * Messages that are not taken at once are kept, up to a bound, and offered again later. Messages
 * beyond the bound are lost, and counted. */
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
    /* Sends without waiting. Returns how many bytes were taken, or −1 with errno. `begun`: the
     * first part of this message has been taken. */
    ssize_t (*send)(void *user, const char *data, size_t size, bool begun);
    /* Called when nothing is kept any more. It may put further messages. NULL is allowed. */
    void (*emptied)(void *user);
    void *user;
    size_t bytes_max; /* how much is kept; a single message may be larger */

    int64_t lost; /* messages lost so far */
    size_t bytes;
    STAILQ_HEAD(messages, message) messages;
    struct loop *loop; /* of `retry`; NULL: kept messages are offered with the next one */
    struct timer retry;
    int64_t wait_ms;
};

/* The caller has set `send`, `emptied`, `user` and `bytes_max`; the rest is zero. */
void outbox_open(struct outbox *outbox);

/* From now on this loop offers kept messages again. −1 with errno. */
int outbox_attach(struct outbox *outbox, struct loop *loop);
/* Call it before the loop is closed. */
void outbox_detach(struct outbox *outbox);

/* Sends a message, or keeps a copy, or loses it. */
void outbox_put(struct outbox *outbox, const void *data, size_t size);

/* Offers kept messages. */
void outbox_flush(struct outbox *outbox);

/* Offers kept messages until all are taken or the time is over: for the end of a process. */
void outbox_finish(struct outbox *outbox, int64_t time_ms);

/* Frees kept messages. */
void outbox_free(struct outbox *outbox);

/* In a child: frees its copies, since the parent sends them, and lets go of the parent's loop. */
void outbox_forked(struct outbox *outbox);

#endif

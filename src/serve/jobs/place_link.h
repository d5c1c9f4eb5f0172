/* What a worker and the arbiter say to each other about places for jobs, over a socket between
 * them. Nothing here waits: what the other side does not take yet is kept. */
#ifndef SERVE_PLACE_LINK_H
#define SERVE_PLACE_LINK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "serve/process/loop.h"

enum place_word {
    /* From a worker: */
    PLACE_ENTER, /* a ticket waits from now on */
    PLACE_LEAVE, /* it leaves, or its job has ended */
    PLACE_WANT,  /* its job wants `number` thousandths of a CPU */
    PLACE_HOLD,  /* `number` 1: no job may start, the host is short of memory; 0: that is over */
    /* From the arbiter: */
    PLACE_START,    /* its job may start */
    PLACE_WAIT,     /* it has to wait, at this position; 0: nobody asked for it */
    PLACE_EXPIRED,  /* it has waited too long, and is outside now */
    PLACE_OVERFLOW, /* too many wait: it is outside now */
    PLACE_LOOK,     /* measure what your jobs want */
};

enum { CLIENT_KEY_SIZE = 80 };

struct place_message {
    enum place_word word;
    bool watched;  /* ENTER: its position is asked for, each time that it changes */
    uint64_t name; /* of the ticket: its worker's choice, never used twice */
    int64_t number;
    int64_t memory_bytes, millicpus, size, most; /* ENTER: as in struct ticket and admit_enter */
    char client[CLIENT_KEY_SIZE];                /* ENTER */
};

struct place_link {
    /* Set by the caller: */
    void (*heard)(void *user, const struct place_message *message);
    void (*round)(void *user); /* after some messages that came together */
    void (*lost)(void *user);  /* the other side is gone, or there is no memory; comes last */
    void *user;
    /* The rest is the link's. */
    struct loop *loop;
    struct watch watch;
    struct place_message *out; /* that have not been sent */
    size_t sent, count, room;
    bool full, failed;
};

/* Both ends of a new link. −1 with errno. */
int place_link_pair(int ends[2]);

/* Takes over the descriptor. −1 with errno: the link is closed. */
int place_link_open(struct place_link *link, struct loop *loop, int fd);
/* A link that is closed already, or was zeroed with a descriptor of −1, is allowed. */
void place_link_close(struct place_link *link);
/* Closes our copies in a child, whose parent goes on with the link. */
void place_link_forked(struct place_link *link);

/* Keeps a message until the next flush, so that several are sent together. */
void place_link_say(struct place_link *link, const struct place_message *message);
void place_link_flush(struct place_link *link);

#endif

/* Connections: what each is doing, and for how long it may (connection.c). */
#ifndef SERVE_CONNECTION_H
#define SERVE_CONNECTION_H

#include <microhttpd.h>
#include <stdbool.h>
#include <sys/queue.h>

#include "serve/config/address.h"
#include "serve/process/loop.h"

struct daemon;
struct http;
struct incoming;
struct peer;

/* What a connection is doing; each phase has its own time limit. */
enum connection_phase {
    PHASE_CONNECTED, /* nothing has come yet, or a TLS handshake */
    PHASE_HEADER,    /* a request has begun */
    PHASE_BODY,
    PHASE_WAIT, /* for a job, as long as that takes */
    PHASE_ANSWER,
    PHASE_IDLE, /* between requests */
    PHASE_CLOSING,
    PHASES
};

struct connection {
    struct http *http;
    struct daemon *daemon;
    struct MHD_Connection *mhd;
    struct incoming *incoming; /* the request that is being handled; NULL: none */
    struct address address;
    struct peer *peer;  /* the subscriber that it is counted for */
    struct watch watch; /* tells when the client closes something */
    bool half_closed;   /* the client sends no more */
    bool gone;          /* nor does it read any more */
    int looks;          /* how often we have checked whether it is gone, while its request waits */
    const char *target; /* of the request that is being read, as it was sent, */
    size_t target_size;
    char query[256]; /* its part behind the '?', cut off at the end, as libmicrohttpd overwrites it;
                        "": it has none */
    const char *wrong; /* and what is wrong with it; NULL: nothing */
    bool linger;       /* see linger.c */
    enum connection_phase phase;
    int64_t deadline_ms; /* INT64_MAX: none */
    TAILQ_ENTRY(connection) link;
};

TAILQ_HEAD(connection_list, connection);

/* MHD_OPTION_NOTIFY_CONNECTION. */
void connection_notify(void *daemon, struct MHD_Connection *mhd, void **context,
                       enum MHD_ConnectionNotificationCode code);

struct connection *connection_of(struct MHD_Connection *mhd);

/* Enters a phase, with `more_ms` added to the phase's time. */
void connection_enter(struct connection *connection, enum connection_phase phase, int64_t more_ms);

/* Shuts its socket down: libmicrohttpd finds it closed when it runs next. */
void connection_shut(struct connection *connection);

/* Sends an answer without libmicrohttpd, which can't send one while a body comes in. The connection
 * must be closed afterwards. */
void connection_say(struct connection *connection, unsigned status, const char *id,
                    const char *body, size_t size);

/* Whether the client is known to be gone, so that nothing would read an answer. */
bool connection_is_gone(const struct connection *connection);

/* Closes connections that are overdue, and checks whether clients that have closed their sending
 * half are still there. */
void connections_expire(void *http);

#endif

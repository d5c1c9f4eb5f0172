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

/* What a connection is doing, which says how long it may. */
enum connection_phase {
    PHASE_CONNECTED, /* nothing has come yet, or a TLS handshake */
    PHASE_HEADER,    /* a request has begun */
    PHASE_BODY,
    PHASE_WAIT, /* for a job: as long as that takes */
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
    struct peer *peer;  /* who it is counted with */
    struct watch watch; /* for what the client closes */
    bool half_closed;   /* the client sends no more */
    bool gone;          /* nor does it read */
    int looks;          /* that were taken at whether it is, while its request waits */
    const char *target; /* of the request that is being read, as it came in, */
    size_t target_size;
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

/* Enters a phase. `more_ms` on top of what the phase has. */
void connection_enter(struct connection *connection, enum connection_phase phase, int64_t more_ms);

/* Ends it: libmicrohttpd sees it closed when it runs next. */
void connection_shut(struct connection *connection);

/* Sends an answer past libmicrohttpd, which can't send one while a body comes in; the connection
 * must be closed then. */
void connection_say(struct connection *connection, unsigned status, const char *id,
                    const char *body, size_t size);

/* Whether nobody is there any more to read an answer, as far as can be told. */
bool connection_is_gone(const struct connection *connection);

/* Ends those that are overdue, and looks whether clients that have closed their sending half are
 * still there. */
void connections_expire(void *http);

#endif

/* What the files of the HTTP side share. Nothing outside them includes this. */
#ifndef SERVE_HTTP_PARTS_H
#define SERVE_HTTP_PARTS_H

#include <microhttpd.h>
#include <stdarg.h>
#include <sys/queue.h>

#include "serve/config/address.h"
#include "serve/http/exchange.h"
#include "serve/http/head.h"
#include "serve/http/http.h"
#include "serve/http/route.h"
#include "serve/web/asset.h"

struct incoming;

/* ── Daemons of libmicrohttpd: one for plain connections, one for TLS (http.c) ───────────────── */

struct daemon {
    struct http *http;
    struct MHD_Daemon *mhd;
    struct watch watch; /* of its epoll descriptor */
    bool tls;
    bool retiring; /* new certificates have come: closed when its last connection is */
    bool pending;  /* must be run before the loop sleeps */
    size_t connections;
    LIST_ENTRY(daemon) link;
};

/* ── Connections (connection.c) ─────────────────────────────────────────────────────────────── */

/* What a connection is doing, which says how long it may. */
enum phase {
    PHASE_CONNECTED, /* nothing has come yet, or a TLS handshake */
    PHASE_HEADER,    /* a request has begun */
    PHASE_BODY,
    PHASE_WAIT, /* for a job: as long as that takes */
    PHASE_ANSWER,
    PHASE_IDLE, /* between requests */
    PHASE_CLOSING,
    PHASES
};

/* Connections of one subscriber, counted. */
struct peer;

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
    enum phase phase;
    int64_t deadline_ms; /* INT64_MAX: none */
    TAILQ_ENTRY(connection) link;
};

TAILQ_HEAD(connection_list, connection);

/* MHD_OPTION_NOTIFY_CONNECTION. */
void connection_notify(void *daemon, struct MHD_Connection *mhd, void **context,
                       enum MHD_ConnectionNotificationCode code);

struct connection *connection_of(struct MHD_Connection *mhd);

/* Enters a phase. `more_ms` on top of what the phase has. */
void connection_enter(struct connection *connection, enum phase phase, int64_t more_ms);

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

/* ── Accepting (accept.c) ───────────────────────────────────────────────────────────────────── */

struct door {
    struct http *http;
    struct watch watch;
    bool local;
};

struct peers {
    LIST_HEAD(peer_list, peer) buckets[1024];
};

/* Opens them again when a connection less has made room. */
void doors_reopen(struct http *http);
void doors_open(void *http);
void doors_close(struct http *http);

/* Its subscriber has a connection less. NULL is allowed. */
void peer_leave(struct peer *peer);

/* ── Lingering (linger.c) ───────────────────────────────────────────────────────────────────── */

/* Takes over a connection that is being closed while its client still sends: what comes is thrown
 * away for a moment, or the kernel would reset the connection and the answer with it. */
void linger(struct http *http, int fd);
void linger_close_all(struct http *http);

/* ── Refusals (refusals.c) ──────────────────────────────────────────────────────────────────── */

struct refusals {
    int64_t full_us[REFUSALS]; /* for how often each is logged: as in rate.c */
    int64_t silent[REFUSALS];  /* that were not logged */
    struct timer summary;      /* says their number */
};

/* An answer with this status has been given on the connection: counts and logs it when it is a
 * refusal. */
void refusal_tell(struct connection *connection, unsigned status);

/* What has not been said yet. */
void refusals_summary(void *http);

/* MHD_OPTION_EXTERNAL_LOGGER. */
void refusal_overheard(void *daemon, const char *format, va_list arguments)
    __attribute__((format(printf, 2, 0)));

/* ── The whole ──────────────────────────────────────────────────────────────────────────────── */

struct http {
    const struct config *config;
    struct loop *loop;
    struct log *log;
    struct service *service;
    struct metrics *metrics;
    struct rates *rates;
    struct tokens *tokens; /* NULL: none are needed */
    struct network *proxies;
    size_t proxies_count;
    bool told_of_proxy; /* that there seems to be one which is not among them */

    LIST_HEAD(daemons, daemon) daemons;
    struct daemon *plain, *tls; /* for new connections; tls NULL: there are no certificates */
    struct timer run_timer;     /* a daemon has more to do at once */

    struct door *doors;
    size_t doors_count;
    bool doors_shut; /* for now: there is no room, or no descriptor */
    struct timer door_timer;
    struct peers peers;

    struct refusals refusals;

    struct connection_list phases[PHASES];
    size_t connections;
    struct connection *newcomer; /* the last that connection_notify has made */
    struct timer deadline_timer;
    int64_t armed_ms;     /* when it expires; INT64_MAX: it does not */
    int64_t body_bytes;   /* of all bodies that are held */
    int64_t answer_bytes; /* of all answers that their clients have not taken yet */

    LIST_HEAD(lingerers, lingerer) lingerers;
    size_t lingerers_count;

    bool draining; /* accepts no more */
    void (*empty)(void *user);
    void *empty_user;
};

/* Runs a daemon before the loop sleeps again. */
void daemon_wake(struct daemon *daemon);

/* ── Bodies (bodies.c) ──────────────────────────────────────────────────────────────────────── */

/* Makes room for a body of that size. False: there is no memory, or its client holds the most. */
bool body_grow(struct incoming *incoming, size_t size);
void body_free(struct incoming *incoming);

/* The sentence for both who does not get room, and who loses it. */
extern const char body_refusal[];

/* ── Requests (incoming.c) ──────────────────────────────────────────────────────────────────── */

/* Headers that somebody reads. */
enum header {
    HEADER_HOST,
    HEADER_ORIGIN,
    HEADER_FETCH_SITE,
    HEADER_CONTENT_TYPE,
    HEADER_CONTENT_ENCODING,
    HEADER_CONTENT_LENGTH,
    HEADER_TRANSFER_ENCODING,
    HEADER_AUTHORIZATION,
    HEADER_EXPECT,
    HEADER_REQUEST_ID,
    HEADER_ACCEPT_ENCODING,
    HEADER_IF_NONE_MATCH,
    HEADER_REQUEST_METHOD,  /* Access-Control-Request-Method */
    HEADER_PRIVATE_NETWORK, /* Access-Control-Request-Private-Network */
    HEADERS
};

#define FORWARDED_SIZE 1024
#define EXTRA_HEADERS 8

/* How far a request has come. */
enum incoming_phase {
    INCOMING_ARRIVES,  /* its header, or its body: libmicrohttpd calls us */
    INCOMING_WAITS,    /* for its route, which answers later: its connection is suspended */
    INCOMING_ANSWERED, /* what still comes of its body is only read */
    INCOMING_LEFT,     /* by its client, which takes no answer any more */
};

struct incoming {
    struct exchange exchange; /* first: see incoming_of */
    struct connection *connection;
    enum incoming_phase phase;
    const struct asset *asset; /* that is asked for; NULL: a route is, or the page "/" */

    struct {
        const char *headers[HEADERS];   /* NULL: not sent */
        char forwarded[FORWARDED_SIZE]; /* X-Forwarded-For, the end of it */
        const char *twice;              /* a header that came twice and must not; NULL: none */
        struct head head;
        bool interim;        /* its client takes interim answers: HTTP/1.1 (RFC 9110, 15.2) */
        bool has_body;       /* one is announced */
        bool absolute;       /* the target is a whole URL, */
        bool https;          /* of https:, */
        char authority[256]; /* that names this host */
    } asked;

    struct { /* what exchange.client points to */
        char key[TOKEN_NAME_SIZE + 8];
        char address[ADDRESS_TEXT_SIZE];
        char token[TOKEN_NAME_SIZE], policy[TOKEN_NAME_SIZE];
    } client;

    struct { /* its size is exchange.body_size */
        char *data;
        size_t room;
    } body;

    struct {
        unsigned status;
        struct MHD_Response *response; /* NULL: handed over, or there was no memory for one */
        size_t size;
        bool owned;  /* it is memory of ours until the client has taken it */
        size_t held; /* of that, what is counted in http->answer_bytes */
        struct {
            char *name, *value;
        } extra[EXTRA_HEADERS];
        size_t extra_count;
        bool allows_origin; /* CORS: it may be read by the page that asked */
        bool close;         /* the connection ends with it */
    } answer;
};

/* MHD_AccessHandlerCallback, MHD_OPTION_NOTIFY_COMPLETED, MHD_OPTION_URI_LOG_CALLBACK. */
enum MHD_Result incoming_handle(void *daemon, struct MHD_Connection *mhd, const char *url,
                                const char *method, const char *version, const char *data,
                                size_t *size, void **context);
void incoming_completed(void *daemon, struct MHD_Connection *mhd, void **context,
                        enum MHD_RequestTerminationCode code);
void *incoming_begins(void *daemon, const char *uri, struct MHD_Connection *mhd);

/* The client has left: its exchange is told so. */
void incoming_leave(struct incoming *incoming);

static inline struct incoming *incoming_of(struct exchange *exchange)
{
    return (struct incoming *)(void *)exchange; /* its first member */
}

/* ── Answers (answers.c) ─────────────────────────────────────────────────────────────────────── */

/* Answers with constant data. */
void incoming_answer_constant(struct incoming *incoming, unsigned status, const char *type,
                              const void *data, size_t size);

/* Hands the answer, which must be there, to libmicrohttpd. */
enum MHD_Result answer_queue(struct incoming *incoming);

/* When the request is over, in whatever way. */
void answer_free(struct incoming *incoming);

/* {"status":"error","error":…,"field":…}; NULL: no memory. */
char *error_json(const char *field, const char *message, size_t *size);

/* ── Dispatching (dispatch.c) ───────────────────────────────────────────────────────────────── */

/* When the header is there: refuses (answers), or finds who will answer. */
void dispatch_admit(struct incoming *incoming, const char *version);

/* When the body is there too. */
void dispatch_run(struct incoming *incoming);

/* ── Certificates (tls.c) ───────────────────────────────────────────────────────────────────── */

/* Reads both files and checks that they fit each other. The caller frees the texts. `expiry`: when
 * the first of the certificates expires, in seconds since 1970; 0: not known. */
int tls_load(const struct config *config, char **certificates, char **key, int64_t *expiry,
             struct sb_error *err);

#endif

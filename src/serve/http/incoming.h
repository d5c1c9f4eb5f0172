/* A request on its way in, from its header to its answer (incoming.c). */
#ifndef SERVE_INCOMING_H
#define SERVE_INCOMING_H

#include <microhttpd.h>

#include "serve/config/address.h"
#include "serve/config/tokens.h"
#include "serve/http/exchange.h"
#include "serve/http/head.h"
#include "serve/web/asset.h"

struct connection;
struct stream;

/* The headers that the service reads. */
enum header {
    HEADER_HOST,
    HEADER_ORIGIN,
    HEADER_FETCH_SITE,
    HEADER_USER_AGENT,
    HEADER_CONTENT_TYPE,
    HEADER_CONTENT_ENCODING,
    HEADER_CONTENT_LENGTH,
    HEADER_TRANSFER_ENCODING,
    HEADER_AUTHORIZATION,
    HEADER_EXPECT,
    HEADER_REQUEST_ID,
    HEADER_IDEMPOTENCY_KEY,
    HEADER_ACCEPT,
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
    INCOMING_ARRIVES,  /* its header or its body is still coming in */
    INCOMING_WAITS,    /* for its route, which answers later; its connection is suspended */
    INCOMING_ANSWERED, /* what is left of its body is read and thrown away */
    INCOMING_LEFT,     /* its client has left, and takes no answer */
};

struct incoming {
    struct exchange exchange; /* first: see incoming_of */
    struct connection *connection;
    enum incoming_phase phase;
    struct stream *stream;     /* its answer, if that comes in parts; NULL: it does not */
    const struct asset *asset; /* answers it; NULL: a route does, or no_page in dispatch.c */

    struct {
        const char *headers[HEADERS];   /* NULL: not sent */
        char forwarded[FORWARDED_SIZE]; /* the end of X-Forwarded-For */
        const char *twice;              /* a header that came twice but must not; NULL: none */
        struct head head;
        bool interim;        /* its client takes interim answers: HTTP/1.1 (RFC 9110, 15.2) */
        bool has_body;       /* one is announced */
        bool absolute;       /* the target is a whole URL, */
        bool https;          /* of https:, */
        char authority[256]; /* that names this host */
    } asked;

    struct { /* the texts that exchange.client points to */
        char key[TOKEN_NAME_SIZE + 8];
        char address[ADDRESS_TEXT_SIZE];
        char token[TOKEN_NAME_SIZE], policy[TOKEN_NAME_SIZE];
    } client;

    struct { /* its size is exchange.body_size */
        char *data;
        size_t room;  /* of memory, or of the file: what is counted */
        bool in_file; /* the first bytes are in no other place than the file, */
        int file;     /* which is this one until `data` maps it; −1 */
    } body;

    struct {
        unsigned status;
        struct MHD_Response *response; /* NULL: handed over, or out of memory */
        size_t size;
        bool owned;     /* its body is in memory of ours until the client has read it */
        size_t held;    /* how much of it is counted in http->answer_bytes */
        size_t in_file; /* how much of it is counted in http->answer_file_bytes */
        struct {
            char *name, *value;
        } extra[EXTRA_HEADERS];
        size_t extra_count;
        bool allows_origin; /* CORS: the page that asked may read it */
        bool close;         /* the connection is closed after it */
    } answer;
};

/* MHD_AccessHandlerCallback, MHD_OPTION_NOTIFY_COMPLETED, MHD_OPTION_URI_LOG_CALLBACK. */
enum MHD_Result incoming_handle(void *daemon, struct MHD_Connection *mhd, const char *url,
                                const char *method, const char *version, const char *data,
                                size_t *size, void **context);
void incoming_completed(void *daemon, struct MHD_Connection *mhd, void **context,
                        enum MHD_RequestTerminationCode code);
void *incoming_begins(void *daemon, const char *uri, struct MHD_Connection *mhd);

/* The client has left before the end of its answer: tells its route. */
void incoming_forget(struct incoming *incoming);
/* The same for a request whose connection is suspended, which is resumed. */
void incoming_leave(struct incoming *incoming);

static inline struct incoming *incoming_of(struct exchange *exchange)
{
    return (struct incoming *)(void *)exchange; /* its first member */
}

/* Answers with an error (exchange_error); false, as the checks of a request return it. */
#define REFUSE(incoming, ...) (exchange_error(&(incoming)->exchange, __VA_ARGS__), false)

#endif

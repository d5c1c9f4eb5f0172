/* One HTTP request and its answer, as the routes see it: nothing of libmicrohttpd. A route answers
 * either before its handler returns, or later: until then the connection is suspended and costs
 * nothing. */
#ifndef SERVE_EXCHANGE_H
#define SERVE_EXCHANGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "serve/contracts/multipart.h"
#include "serve/process/metrics.h"

struct route;
struct service;

/* The client that sent the request. Texts live as long as the exchange. */
struct client {
    const char *key; /* the identity for fairness and rates: "token NAME", an IPv4 address, the /64
                        of an IPv6 address, "unix UID" */
    const char *address; /* for logs: the client's, or the one that a trusted proxy gives */
    const char *token;   /* name of the token, NULL without one */
    const char *policy;  /* the only policy that the token allows; NULL: any */
    double rate;         /* requests a second, of the token or the service; 0: not limited */
    int64_t jobs;        /* jobs at once, of the token; 0: not limited */
    int64_t body_bytes;  /* the largest body, of the token or the service */
};

struct exchange {
    struct service *service;
    const struct route *route;
    struct client client;
    const char *method;
    const char *path;  /* without the query */
    const char *query; /* as it was sent, behind the '?'; NULL: none */
    char resource[65]; /* what stands in the place of {id} in the route's path; "": too long */
    const char *idempotency_key; /* the header Idempotency-Key; NULL: it was not sent */
    char id[65];                 /* X-Request-Id: the client's if it is plain, else a random one */
    const char *accept;          /* the header Accept; NULL: it was not sent */
    const char *body;            /* whole, within the limit; not NUL-terminated */
    size_t body_size;
    bool body_in_file; /* it is large, and takes no memory while it is not read: exchange_keep_body
                        */
    char boundary[MULTIPART_BOUNDARY_SIZE]; /* of the form that the body is; "": it is JSON */

    /* For an answer with status 400 or above: why, for the log and metrics. */
    enum refusal refusal;
    const char *refused_field; /* a constant: the field of the request at fault; NULL: none */
    bool no_refusal;           /* the answer is a job's verdict, or one of /health */

    /* For a route that answers later: its own state, and a function that is called if the client
     * leaves before the answer. After `gone` returns, the exchange no longer exists and must not be
     * answered. It is not called once the exchange has been answered. */
    void *state;
    void (*gone)(struct exchange *exchange);
};

/* Takes a body that is in a file out of its exchange, so that a request can be read from it later.
 * It must be freed before the transport is closed. NULL: out of memory. */
struct kept_body;
struct kept_body *exchange_keep_body(struct exchange *exchange);
/* What all bodies of this kind may take together. */
int64_t kept_body_bound(const struct kept_body *kept);
/* It may be changed. */
char *kept_body_text(const struct kept_body *kept, size_t *size);
/* Undoes all changes, which frees the memory that they took. False: it can't be done. */
bool kept_body_restore(const struct kept_body *kept);
/* NULL is allowed. */
void kept_body_free(struct kept_body *kept);

/* Adds a header to the answer; call it before exchange_answer. Name and value are copied. */
void exchange_header(struct exchange *exchange, const char *name, const char *value);

/* Answers. The exchange takes over `body`, which is from malloc (NULL: out of memory, answered with
 * 500). `type` is a constant such as "application/json". The exchange may no longer exist when this
 * returns. */
void exchange_answer(struct exchange *exchange, unsigned status, const char *type, char *body,
                     size_t size);

/* Begins an answer with status 200 in parts, as they come. `gone` is called as before, if the
 * client leaves before exchange_end. `pulse` is sent after 15 s without another part; it and `type`
 * are constants. `drained` is called when the client can take more after exchange_send has returned
 * false. −1: there is no memory for it, and the exchange is still to be answered as a whole. */
int exchange_begin(struct exchange *exchange, const char *type, const char *pulse,
                   void (*drained)(struct exchange *exchange));

/* Sends a part, which is copied. False: the client is slow; it is best to send no more until
 * `drained` is called. */
bool exchange_send(struct exchange *exchange, const char *data, size_t size);

/* The last part has been sent. `status`: of the same answer as a whole; from 400 on, unless
 * no_refusal is set, it is logged and counted as a refusal. The exchange may no longer exist when
 * this returns. */
void exchange_end(struct exchange *exchange, unsigned status);

/* Answers {"status":"error","error":sentence,"field":field}; field NULL or "": null. */
void exchange_error(struct exchange *exchange, unsigned status, const char *field,
                    const char *format, ...) __attribute__((format(printf, 4, 5)));

#endif

/* One HTTP request and its answer, as the routes see it. Written by http.c, which alone knows
 * libmicrohttpd. A route either answers before its handler returns, or later: until then the
 * connection rests and costs nothing. */
#ifndef SERVE_EXCHANGE_H
#define SERVE_EXCHANGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "serve/process/metrics.h"

struct route;
struct service;

/* Who asks. Texts live as long as the exchange. */
struct client {
    const char *key;     /* what fairness and rates count by: "token NAME", an IPv4 address, the /64
                            of an IPv6 address, "unix UID" */
    const char *address; /* for logs: of the client, or what a trusted proxy says it is */
    const char *token;   /* name of the token, NULL without one */
    const char *policy;  /* the only policy that the token allows; NULL: any */
    double rate;         /* requests a second, of the token or the service; 0: not limited */
    int64_t jobs;        /* jobs at once, of the token; 0: not limited */
};

struct exchange {
    struct service *service;
    const struct route *route;
    struct client client;
    const char *method;
    const char *path; /* without the query */
    char id[65];      /* X-Request-Id: taken over when it is plain, else made */
    const char *body; /* whole, within the limit; not NUL-terminated */
    size_t body_size;

    /* Of an answer with a status from 400 up: why, for the log and metrics. */
    enum refusal refusal;
    const char *refused_field; /* a constant: the field of the request at fault; NULL: none */
    bool no_refusal;           /* it is a job's verdict, or on health */

    /* For a route that answers later: its own state, and what is called when the client leaves
     * before the answer. After `gone` returns the exchange does not exist; it must not be answered.
     * Not called once the exchange has been answered. */
    void *state;
    void (*gone)(struct exchange *exchange);
};

/* A header of the answer; before exchange_answer. Name and value are copied. */
void exchange_header(struct exchange *exchange, const char *name, const char *value);

/* Answers. `body` is from malloc and passes on to the exchange (NULL: 500, memory was short);
 * `type` is a constant: "application/json", … The exchange may be gone when this returns. */
void exchange_answer(struct exchange *exchange, unsigned status, const char *type, char *body,
                     size_t size);

/* Answers {"status":"error","error":sentence,"field":field}; field NULL or "": null. */
void exchange_error(struct exchange *exchange, unsigned status, const char *field,
                    const char *format, ...) __attribute__((format(printf, 4, 5)));

#endif

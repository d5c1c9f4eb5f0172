/* The routes: one table by which requests are dispatched, methods are refused, and the OpenAPI
 * document is checked. */
#ifndef SERVE_ROUTE_H
#define SERVE_ROUTE_H

#include <stdbool.h>
#include <stddef.h>

struct exchange;

enum route_flags {
    ROUTE_BODY = 1,   /* takes a JSON body: another Content-Type is answered with 415, an empty body
                         with 400 */
    ROUTE_PUBLIC = 2, /* answered without a token: health, version, the pages */
    ROUTE_FORM = 4,   /* takes a form (multipart/form-data) in place of JSON, too */
};

struct route {
    const char *method; /* "GET" also answers HEAD */
    const char *path;   /* exact, but for {id}: any text without a slash, exchange->resource */
    unsigned flags;
    /* Answers the exchange, or sets its state and gone, and answers later. */
    void (*handle)(struct exchange *exchange);
};

extern const struct route routes[];
extern const size_t routes_count;

#endif

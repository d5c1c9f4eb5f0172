/* Accepting connections, as long as there is room (accept.c). */
#ifndef SERVE_ACCEPT_H
#define SERVE_ACCEPT_H

#include <stdbool.h>

#include "serve/process/loop.h"

struct http;

struct door {
    struct http *http;
    struct watch watch;
    bool local;
    bool shared; /* several workers wait for this socket */
};

/* Opens them again when connections that have ended have made room. */
void doors_reopen(struct http *http);
void doors_open(void *http);
void doors_close(struct http *http);

#endif

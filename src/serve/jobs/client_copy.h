/* A client that is needed for longer than its exchange. */
#ifndef SERVE_CLIENT_COPY_H
#define SERVE_CLIENT_COPY_H

#include "serve/http/exchange.h"

/* Copies its texts, too. −1: out of memory. The caller frees the copy with client_free, even then.
 */
int client_copy(struct client *copy, const struct client *client);
/* One that is all zero is allowed. */
void client_free(struct client *copy);

#endif

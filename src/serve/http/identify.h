/* Which client sent a request, by its address or its token, and whether it sends too many. */
#ifndef SERVE_IDENTIFY_H
#define SERVE_IDENTIFY_H

#include <stdbool.h>

struct incoming;

/* Fills exchange.client from the connection's address and what trusted proxies say of it. */
void identify(struct incoming *incoming);

/* Where tokens are required, the token names the client. False: refused. */
bool check_token(struct incoming *incoming);

/* False: the client has sent too many requests lately, and is refused. */
bool check_rate(struct incoming *incoming);

#endif

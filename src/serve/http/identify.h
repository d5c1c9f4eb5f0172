/* Who asks: an address, or a token; and whether it asks too often. */
#ifndef SERVE_IDENTIFY_H
#define SERVE_IDENTIFY_H

#include <stdbool.h>

struct incoming;

/* Fills exchange.client by the connection's address, and what trusted proxies say of it. */
void identify(struct incoming *incoming);

/* Where tokens are needed: the client is the one that its token names. False: refused. */
bool check_token(struct incoming *incoming);

/* False: the client has sent too many requests lately, and is refused. */
bool check_rate(struct incoming *incoming);

#endif

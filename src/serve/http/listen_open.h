/* Opening the socket of one address (listen_open.c), for listen.c. */
#ifndef SERVE_LISTEN_OPEN_H
#define SERVE_LISTEN_OPEN_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>

#include "serve/http/listen.h"

/* What an address is for. */
struct listen_as {
    const char *option; /* that named it, in errors: "listen" */
    const char *scheme; /* in its name: "http" */
    bool harmless;      /* whoever reaches it may use it */
};

/* A further listener, with this many descriptors, all −1. NULL: out of memory. */
struct listener *listener_add(struct listeners *listeners, struct sb_error *err);

/* Opens "host:port" (all addresses of the host), "[host]:port" or "unix:path". */
int listener_open(struct listeners *listeners, const struct listen_as *as, const char *text,
                  const struct config *config, struct sb_error *err);

bool listener_is_remote(const struct sockaddr *socket);

/* Fails if other hosts could run code without a token. `where` names the address in the error. */
int listener_check_reach(const struct sockaddr *socket, const char *where,
                         const struct listen_as *as, const struct config *config,
                         struct sb_error *err);

/* Sets the name of a listener by the address that its first socket is bound to. */
void listener_name_tcp(struct listener *listener, const char *scheme);

#endif

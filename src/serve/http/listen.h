/* The sockets on which the service listens. */
#ifndef SERVE_LISTEN_H
#define SERVE_LISTEN_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "serve/config/config.h"
#include "serve/process/log.h"

struct listener {
    bool local;   /* a UNIX socket: no TLS, no limit of connections per address */
    bool remote;  /* can be reached from other hosts */
    int fd;       /* one for all workers */
    char *path;   /* of a UNIX socket that we have made, and remove at the end */
    dev_t device; /* … as long as it is this one */
    ino_t inode;
    char name[128]; /* "http://127.0.0.1:8000", "unix:/run/…" */
};

struct listeners {
    struct listener *list;
    size_t count;
};

/* Takes the sockets that systemd passes, or opens the configured ones. Without tokens it refuses to
 * listen on addresses other than loopback, unless `insecure`. */
int listeners_open(struct listeners *listeners, const struct config *config, struct sb_error *err);

/* Opens the address of --agent, for HAProxy's agent checks, if there is one. Other hosts may reach
 * it without tokens. */
int listeners_open_agent(struct listeners *listeners, const struct config *config,
                         struct sb_error *err);

/* Logs where the service listens. Warns of each socket to which tokens are sent in clear text over
 * a network; and, once, that all clients of a proxy on a UNIX socket count as one unless it is
 * configured. */
void listeners_say(const struct listeners *listeners, const struct config *config, struct log *log);

/* Closes all sockets. `remove`: also removes the files of UNIX sockets. */
void listeners_close(struct listeners *listeners, bool remove);

#endif

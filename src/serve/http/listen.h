/* The sockets on which the service listens. */
#ifndef SERVE_LISTEN_H
#define SERVE_LISTEN_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "serve/config/config.h"
#include "serve/process/log.h"

struct listener {
    bool local;  /* a UNIX socket: no TLS, no limit of connections per address */
    bool remote; /* can be reached from elsewhere */
    int *fds;    /* one that all workers share, or one for each */
    size_t fds_count;
    char *path;   /* of a UNIX socket that we have made, to be removed at the end */
    dev_t device; /* … as long as it is this one */
    ino_t inode;
    char name[128]; /* "http://127.0.0.1:8000", "unix:/run/…" */
};

struct listeners {
    struct listener *list;
    size_t count;
};

/* Takes the sockets that systemd passes, or opens those that are configured, for config->workers
 * processes. Refuses to listen elsewhere than on loopback without tokens, unless `insecure`. */
int listeners_open(struct listeners *listeners, const struct config *config, struct sb_error *err);

/* Closes what belongs to other workers than this one. */
void listeners_keep(struct listeners *listeners, size_t worker);

/* Writes to the log where the service listens, and warnings: of each place from which tokens that
 * come in clear text may be read on their way, and, once, what a proxy on a UNIX socket would do to
 * its clients unless the configuration says otherwise. */
void listeners_say(const struct listeners *listeners, const struct config *config, struct log *log);

/* Closes all. `remove`: files of UNIX sockets too. */
void listeners_close(struct listeners *listeners, bool remove);

#endif

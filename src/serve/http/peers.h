/* Subscribers, by how many connections each has. */
#ifndef SERVE_PEERS_H
#define SERVE_PEERS_H

#include <stdint.h>
#include <sys/queue.h>

#include "serve/config/address.h"

struct peer {
    struct address address;
    int64_t connections;
    LIST_ENTRY(peer) link;
};

struct peers {
    LIST_HEAD(peer_list, peer) buckets[1024];
};

/* Counts one more connection from an address. NULL: no memory. */
struct peer *peer_enter(struct peers *peers, const struct address *address);

/* Its subscriber has a connection less. NULL is allowed. */
void peer_leave(struct peer *peer);

#endif

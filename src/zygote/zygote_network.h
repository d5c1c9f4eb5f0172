/* The network namespaces that a zygote keeps for its children. */
#ifndef WARM_ZYGOTE_NETWORK_H
#define WARM_ZYGOTE_NETWORK_H

#include <stddef.h>
#include <stdint.h>

#include "zygote/protocol.h"

/* What a namespace tells of its past: see the table in zygote_network.c. */
#define NETWORK_COUNTERS 3
#define NETWORK_TEXT_SIZE 8192 /* Linux 6.18 tells 4.3 KiB */

struct kept_network {
    int fd;                         /* 0: not made yet */
    int counters[NETWORK_COUNTERS]; /* files of /proc/net, open; −1: not there */
    size_t as_new_size;             /* 0: not to be known */
    char as_new[NETWORK_TEXT_SIZE]; /* what they said when it was made */
};

struct networks {
    struct kept_network network[NETWORKS];
};

/* Enters the one with this number, for the child that is cloned next, which has no privilege over
 * what is its zygote's. It is made where there is none yet, or where the last job has left anything
 * in it. −1: none was entered, and the child makes its own. */
int network_enter(struct networks *networks, int32_t index);

#endif

/* The network namespaces that a zygote keeps for its children. */
#ifndef WARM_ZYGOTE_NETWORK_H
#define WARM_ZYGOTE_NETWORK_H

#include <stddef.h>
#include <stdint.h>

#include "zygote/protocol.h"

/* The counters that reveal a namespace's past: see the table in zygote_network.c. */
#define NETWORK_COUNTERS 3
#define NETWORK_TEXT_SIZE 8192 /* Linux 6.18 writes 4.3 KiB */

struct kept_network {
    int fd;                         /* 0: not made yet */
    int counters[NETWORK_COUNTERS]; /* open files of /proc/net; −1: missing */
    size_t as_new_size;             /* 0: unknown */
    char as_new[NETWORK_TEXT_SIZE]; /* their text when it was made */
};

struct networks {
    struct kept_network network[NETWORKS];
};

/* Enters the namespace with this number, for the child that is cloned next, which has no privilege
 * over its zygote's namespaces. It is made if it does not exist yet, or if the last job has left a
 * trace in it. −1: none was entered, and the child makes its own. */
int network_enter(struct networks *networks, int32_t index);

#endif

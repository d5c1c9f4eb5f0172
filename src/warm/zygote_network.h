/* The network namespaces that a zygote keeps for its children. */
#ifndef WARM_ZYGOTE_NETWORK_H
#define WARM_ZYGOTE_NETWORK_H

#include <stdint.h>

#include "protocol.h"

struct networks {
    int fd[NETWORKS];          /* 0: not made yet */
    uint64_t as_new[NETWORKS]; /* what its counters were then; 0: not to be known */
};

/* Enters the one with this number, for the child that is cloned next, which has no privilege over
 * what is its zygote's. It is made where there is none yet, or where the last job has left anything
 * in it. −1: none was entered, and the child makes its own. */
int network_enter(struct networks *networks, int32_t index);

#endif

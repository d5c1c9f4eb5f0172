/* The script's process of a warm start: python is in pid 1's memory already and goes on in a child.
 *
 * The memory is not copied for it, which would cost a second time what the zygote's fork has cost,
 * and again when both end: the child shares it, and waits; pid 1 locks itself down and becomes a
 * small program of its own (init_main.c); then the memory is the child's. */
#ifndef WARM_START_SCRIPT_H
#define WARM_START_SCRIPT_H

#include "inside/inside.h"

/* Once, in the zygote. Returns a descriptor of the program for struct inside's init, or −1: memory
 * is copied then, as it is where the C library is not glibc. */
int start_script_prepare(void);
/* struct inside's start_script. */
int start_script(struct inside *in);

#endif

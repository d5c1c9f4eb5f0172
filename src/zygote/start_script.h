/* The script's process of a warm start: python is in pid 1's memory already and continues in a
 * child.
 *
 * A copy of the memory would cost as much again as the zygote's fork, and more when both end. So
 * the child shares the memory, and waits; pid 1 locks itself down and becomes a small program of
 * its own (init_main.c); then the memory belongs to the child. */
#ifndef WARM_START_SCRIPT_H
#define WARM_START_SCRIPT_H

#include "inside/inside.h"

/* Called once, in the zygote. Returns a descriptor of the program for struct inside's init, or −1:
 * then memory is copied, as with a C library other than glibc. */
int start_script_prepare(void);
/* The start_script of struct inside. */
int start_script(struct inside *in);

#endif

/* The seccomp filter of a zygote, which its children have, too, below their own. */
#ifndef WARM_ZYGOTE_FILTER_H
#define WARM_ZYGOTE_FILTER_H

#include "sandbox.h"

#include <linux/filter.h>

/* Refuses, as if the kernel did not have it, each call that neither the jobs' filter ever lets
 * through nor the zygote or the steps of a start need, and sockets of families that the jobs have
 * not. The caller frees program->filter. */
int zygote_filter(struct sock_fprog *program, const struct sock_fprog *jobs, struct sb_error *err);

#endif

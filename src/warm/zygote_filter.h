/* The seccomp filter of a zygote. Its children have it, too, below their own. */
#ifndef WARM_ZYGOTE_FILTER_H
#define WARM_ZYGOTE_FILTER_H

#include "sandbox.h"

#include <linux/filter.h>

/* Makes the filter from the jobs' filter. It refuses, as if the kernel did not have them: each call
 * that the jobs' filter never lets through and that neither the zygote nor the steps of a start
 * need, and sockets of families that jobs cannot have. The caller frees program->filter. */
int zygote_filter(struct sock_fprog *program, const struct sock_fprog *jobs, struct sb_error *err);

#endif

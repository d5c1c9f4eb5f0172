/* The seccomp filters of a sandbox. Each is loaded when a policy first asks for it, and kept. */
#ifndef SB_FILTERS_H
#define SB_FILTERS_H

#include <linux/filter.h>
#include <stdbool.h>

#include "core/context.h"

struct filter {
    char *profile;
    bool writable; /* jobs may write files: locks are allowed as the profile says */
    bool report;   /* see filter_load */
    struct sock_fprog program;
    struct seccomp_profile *names; /* for reports; NULL until the first, or not readable */
    bool names_read;
    struct filter *next;
};

/* The filter of a policy's jobs, as filter_load gives it; the sandbox owns it. NULL: *err says
 * why. */
const struct sock_fprog *filter_of(struct sb_sandbox *sandbox, const struct sb_policy *policy,
                                   bool report, struct sb_error *err);

/* The loaded reporting filter of a policy (`report`), with the names for reports; NULL: none is
 * loaded. */
const struct filter *filter_reporting(struct sb_sandbox *sandbox, const struct sb_policy *policy);

void filters_free(struct sb_sandbox *sandbox);

#endif

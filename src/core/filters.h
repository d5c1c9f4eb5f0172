/* The seccomp filters of a sandbox: each is loaded when a policy first asks for it, and kept. */
#ifndef SB_FILTERS_H
#define SB_FILTERS_H

#include <linux/filter.h>
#include <stdbool.h>

#include "core/context.h"

struct filter {
    char *profile;
    bool writable; /* for policies that are: locks are allowed as the profile says */
    bool report;   /* see filter_load */
    struct sock_fprog program;
    struct seccomp_profile *names; /* of a reporting one, when something was reported, or NULL */
    bool names_read;
    struct filter *next;
};

/* The filter of a policy's jobs, as filter_load gives it; it stays the sandbox's. NULL: *err says
 * why. */
const struct sock_fprog *filter_of(struct sb_sandbox *sandbox, const struct sb_policy *policy,
                                   bool report, struct sb_error *err);

/* One with `report` that has been loaded, and the names for reports. */
const struct filter *filter_reporting(struct sb_sandbox *sandbox, const struct sb_policy *policy);

void filters_free(struct sb_sandbox *sandbox);

#endif

/* See filters.h. */
#include "core/filters.h"

#include <stdlib.h>
#include <string.h>

#include "common/error.h"
#include "common/util.h"
#include "seccomp/seccomp.h"
#include "seccomp/seccomp_profile.h"

static void free_filter(struct filter *filter)
{
    if (filter->names != NULL)
        seccomp_profile_free(filter->names);
    free(filter->names);
    free(filter->program.filter);
    free(filter->profile);
    free(filter);
}

static struct filter *find_filter(struct sb_sandbox *sandbox, const struct sb_policy *policy,
                                  bool report)
{
    struct filter *filter = sandbox->filters;
    while (filter != NULL && (filter->writable != policy->writable || filter->report != report ||
                              strcmp(filter->profile, policy->seccomp) != 0))
        filter = filter->next;
    return filter;
}

/* Compiles a filter, or reads it, when it is first asked for. */
const struct sock_fprog *filter_of(struct sb_sandbox *sandbox, const struct sb_policy *policy,
                                   bool report, struct sb_error *err)
{
    const char *profile = policy->seccomp;
    struct filter *filter = find_filter(sandbox, policy, report);
    if (filter != NULL)
        return &filter->program;
    filter = calloc(1, sizeof(*filter));
    if (filter == NULL || (filter->profile = strdup(profile)) == NULL) {
        free(filter);
        sb_fail(err, "seccomp", ENOMEM, "out of memory (a seccomp filter)");
        return NULL;
    }
    filter->writable = policy->writable;
    filter->report = report;
    if (filter_load(&filter->program, profile, filter->report, err) < 0 ||
        (!policy->writable && filter_refuse_locks(&filter->program, err) < 0)) {
        free_filter(filter);
        return NULL;
    }
    filter->next = sandbox->filters;
    sandbox->filters = filter;
    return &filter->program;
}

/* Reads the names when something is first to be named, as that takes a millisecond. If the profile
 * cannot be read any more, calls are named by their numbers. */
const struct filter *filter_reporting(struct sb_sandbox *sandbox, const struct sb_policy *policy)
{
    struct filter *filter = find_filter(sandbox, policy, true);
    if (filter == NULL || filter->names_read)
        return filter;
    struct sb_error ignored;
    filter->names_read = true;
    filter->names = calloc(1, sizeof(*filter->names));
    if (filter->names != NULL && filter_profile(filter->names, filter->profile, &ignored) < 0) {
        free(filter->names);
        filter->names = NULL;
    }
    return filter;
}

void filters_free(struct sb_sandbox *sandbox)
{
    for (struct filter *filter = sandbox->filters; filter != NULL;) {
        struct filter *next = filter->next;
        free_filter(filter);
        filter = next;
    }
}

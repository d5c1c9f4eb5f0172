/* All policies of a directory, read together and never changed: a reload makes a new set. A job
 * keeps the set that its policy is from. */
#ifndef SERVE_POLICIES_H
#define SERVE_POLICIES_H

#include <stdint.h>

#include "sandbox.h"

struct policies {
    size_t users;                      /* freed when the last has released it */
    struct sb_sandbox *const *sandbox; /* what it keeps ready for them goes with them; NULL, or to
                                          NULL: none */
    uint64_t told; /* a bit for each whose jobs start cold, against its word, once that is logged */
    bool offer_default; /* to clients whose token does not name it */
    size_t count;
    uint32_t *lowered; /* of each policy, a bit for each limit whose cap the service has lowered */
    char **missing;    /* of each policy, the sentence on modules that it preloads and that are not
                          there; NULL: none is known to be missing (preload.h) */
    struct sb_policy *policy[]; /* sorted by name */
};

/* `directory` NULL: the configured one. Fails when one can't be read, or one that an endpoint needs
 * is not there. The caller is its first user. */
int policies_load(struct policies **policies, const char *directory, struct sb_error *err);

/* Lowers caps of them all to what the service allows at the most. */
void policies_bound(struct policies *policies, int64_t wall_time_ms, int64_t output_bytes);

/* Where a limit that is asked for is above a cap that policies_bound has lowered, the refusal is
 * the service's, not the policy's: says so in err->message, which names the limit first. */
void policies_blame(const struct policies *policies, const struct sb_policy *policy,
                    const struct sb_limits *asked, struct sb_error *err);

struct policies *policies_use(struct policies *policies);
/* NULL is allowed. */
void policies_release(struct policies *policies);

/* NULL when there is none of that name. */
const struct sb_policy *policies_find(const struct policies *policies, const char *name);

/* Whether a policy is sandbox-run's own, whose caps fit no stranger, and clients may name it only
 * with a token that is bound to it. */
bool policies_withhold(const struct policies *policies, size_t index);

/* As policies_find, for a request: NULL with a sentence, also when it is not offered. `only`: of
 * the client's token, NULL when it has none or may name any. */
const struct sb_policy *policies_offer(const struct policies *policies, const char *name,
                                       const char *only, struct sb_error *err);

/* {"policies":[{"name","description","available","reason","limits","caps"}, …]}, or only the one
 * named `only`. The caller frees it. NULL: no memory. */
char *policies_json(const struct policies *policies, const char *only);

#endif

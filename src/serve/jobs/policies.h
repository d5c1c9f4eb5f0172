/* All policies of a directory, read together and never changed. A reload makes a new set, and a job
 * keeps the set that its policy is from. */
#ifndef SERVE_POLICIES_H
#define SERVE_POLICIES_H

#include <stdint.h>

#include "sandbox.h"

struct config;
struct policies {
    size_t users;                      /* freed when the last has released it */
    struct sb_sandbox *const *sandbox; /* freeing the set also frees the interpreters that it keeps
                                          ready; NULL, or to NULL: none */
    uint64_t told; /* a bit for each policy whose jobs start cold though they should not, once that
                      is logged */
    bool offer_default; /* the policy "default", to clients whose token does not name it */
    size_t count;
    uint32_t *lowered; /* for each policy, a bit for each limit whose cap the service has lowered */
    char **missing; /* for each policy, a sentence on modules that it preloads but that are missing;
                       NULL: none is known to be missing (preload.h) */
    struct sb_policy *policy[]; /* sorted by name */
};

/* `directory` NULL: the configured one. Fails when a policy can't be read, or when one that an
 * endpoint needs is missing. The caller is the set's first user. */
int policies_load(struct policies **policies, const char *directory, struct sb_error *err);

/* Lowers the caps of all policies to what the service allows. */
void policies_bound(struct policies *policies, const struct config *config);

/* If a requested limit is above a cap that policies_bound has lowered, the service refuses it, not
 * the policy: rewrites err->message to say so. err->field names the limit. */
void policies_blame(const struct policies *policies, const struct sb_policy *policy,
                    const struct sb_limits *asked, struct sb_error *err);

struct policies *policies_use(struct policies *policies);
/* NULL is allowed. */
void policies_release(struct policies *policies);

/* NULL: there is no policy of that name. */
const struct sb_policy *policies_find(const struct policies *policies, const char *name);

/* Whether a policy is sandbox-run's own, whose caps do not suit untrusted clients: clients may name
 * it only with a token that is bound to it. */
bool policies_withhold(const struct policies *policies, size_t index);

/* As policies_find, for a request. NULL, with a sentence in *err, also when the policy is not
 * offered. `only`: the policy of the client's token; NULL: it has no token, or may name any policy.
 */
const struct sb_policy *policies_offer(const struct policies *policies, const char *name,
                                       const char *only, struct sb_error *err);

/* {"policies":[{"name","description","available","reason","limits","caps"}, …]}, or only the one
 * named `only`. The caller frees it. NULL: no memory. */
char *policies_json(const struct policies *policies, const char *only);

#endif

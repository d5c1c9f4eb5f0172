/* The JSON form of a policy. */
#ifndef SB_POLICY_JSON_H
#define SB_POLICY_JSON_H

#include <json-c/json.h>

#include "policy/policy.h"

/* Fills a zeroed *policy, except for its name, from a parsed file; `file` is its name in errors.
 * policy->seccomp is the file's text, not yet a path. On an error *policy may be half filled. */
int policy_from_json(struct sb_policy *policy, struct json_object *object, const char *file,
                     struct sb_error *err);

#endif

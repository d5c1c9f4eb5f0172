/* Limits and caps of a policy as JSON, as GET /policies and --list-policies have them. */
#ifndef COMMON_LIMITS_JSON_H
#define COMMON_LIMITS_JSON_H

#include "common/json_writer.h"
#include "sandbox.h"

/* "key":{"wall_time_ms":…, …}, each limit by its name; `value` is sb_policy_limit or sb_policy_cap.
 */
static inline void limits_json(struct json_writer *writer, const char *key,
                               const struct sb_policy *policy,
                               int64_t (*value)(const struct sb_policy *, enum sb_limit))
{
    json_key(writer, key);
    json_bracket(writer, '{');
    for (int i = 0; i < SB_LIMITS; i++) {
        enum sb_limit limit = (enum sb_limit)i;
        json_key(writer, sb_limit_info(limit)->name);
        if (limit == SB_MILLICPUS)
            json_thousandths(writer, value(policy, limit));
        else
            json_integer(writer, value(policy, limit));
    }
    json_bracket(writer, '}');
}

#endif

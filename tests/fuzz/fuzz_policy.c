/* Any bytes as a policy file: read or refused, never more; and what was read, printed and read
 * again is the same. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/json_file.h"
#include "policy/limit.h"
#include "policy/policy.h"
#include "policy/policy_json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct sb_policy *read_policy(const char *text, size_t size)
{
    struct sb_error err = {0};
    struct json_object *object = json_file_parse(text, size, "fuzz.json", "policy", &err);
    struct sb_policy *policy = calloc(1, sizeof(*policy));
    if (policy == NULL)
        abort();
    int result = object != NULL ? policy_from_json(policy, object, "fuzz.json", &err) : -1;
    json_object_put(object);
    if (result == 0)
        return policy;
    if (err.message[0] == '\0')
        abort(); /* refused without a word */
    sb_policy_free(policy);
    return NULL;
}

static void check_limits(const struct sb_policy *policy)
{
    for (int i = 0; i < SB_LIMITS; i++) {
        const struct sb_limit_info *info = sb_limit_info((enum sb_limit)i);
        if (policy->limits.value[i] < info->min || policy->caps.value[i] > info->max ||
            policy->limits.value[i] > policy->caps.value[i])
            abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct sb_policy *policy = read_policy((const char *)data, size);
    if (policy == NULL)
        return 0;
    check_limits(policy);
    char *printed = sb_policy_json(policy);
    if (printed == NULL)
        abort();
    struct sb_policy *again = NULL;
    if (strlen(printed) <= JSON_FILE_MAX) { /* printing may make it longer */
        again = read_policy(printed, strlen(printed));
        char *reprinted = again != NULL ? sb_policy_json(again) : NULL;
        if (reprinted == NULL || strcmp(printed, reprinted) != 0)
            abort();
        free(reprinted);
    }
    free(printed);
    sb_policy_free(again);
    sb_policy_free(policy);
    return 0;
}

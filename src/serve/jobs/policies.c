/* Policies as a set. See policies.h. */
#include "serve/jobs/policies.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "common/error.h"
#include "common/json_writer.h"
#include "common/limits_json.h"
#include "common/quantity.h"
#include "common/util.h"
#include "serve/config/config.h"
#include "serve/contracts/contracts.h"
#include "serve/jobs/preload.h"

static int check_contracts(const struct policies *policies, const char *directory,
                           struct sb_error *err)
{
    for (int i = 0; i < CONTRACTS; i++)
        if (policies_find(policies, contracts[i].policy) == NULL)
            return sb_fail_field(err, "policy", "policies",
                                 "there is no policy \"%s\" in %s, which %s needs: add it, or name "
                                 "another directory (policies)",
                                 contracts[i].policy,
                                 directory != NULL ? directory : "the installed policies",
                                 contracts[i].name);
    return 0;
}

int policies_load(struct policies **out, const char *directory, struct sb_error *err)
{
    char **names = NULL;
    size_t count = 0;
    if (sb_policy_list(&names, directory, err) < 0)
        return -1;
    while (names[count] != NULL)
        count++;
    /* NOLINTNEXTLINE(bugprone-sizeof-expression): an array of pointers */
    struct policies *policies = calloc(1, sizeof(*policies) + count * sizeof(*policies->policy));
    if (policies == NULL || (policies->missing = calloc(count + 1, sizeof(char *))) == NULL ||
        (policies->lowered = calloc(count + 1, sizeof(uint32_t))) == NULL) {
        if (policies != NULL)
            free(policies->missing);
        free(policies);
        sb_strv_free(names);
        return sb_fail(err, "policy", ENOMEM, "the policies");
    }
    int result = 0;
    for (size_t i = 0; i < count && result == 0; i++) {
        result = sb_policy_load(&policies->policy[i], directory, names[i], err);
        policies->count += result == 0;
    }
    sb_strv_free(names);
    policies->users = 1;
    if (result == 0)
        result = check_contracts(policies, directory, err);
    if (result == 0)
        *out = policies;
    else
        policies_release(policies);
    return result;
}

static void lower_cap(struct policies *policies, size_t index, enum sb_limit limit, int64_t most)
{
    struct sb_policy *policy = policies->policy[index];
    int64_t cap = sb_policy_cap(policy, limit);
    sb_policy_lower_cap(policy, limit, most);
    if (sb_policy_cap(policy, limit) < cap)
        policies->lowered[index] |= UINT32_C(1) << limit;
}

/* The limits that the service bounds, whatever a policy says. */
static const struct {
    enum sb_limit limit;
    const char *option;
    size_t most; /* in struct config */
} bounded[] = {
    {SB_WALL_TIME_MS, "--max-time", offsetof(struct config, max_time_ms)},
    {SB_OUTPUT_BYTES, "--max-output", offsetof(struct config, max_output_bytes)},
    {SB_RESULT_BYTES, "--max-output", offsetof(struct config, max_output_bytes)},
    {SB_DISPLAY_BYTES, "--max-output", offsetof(struct config, max_output_bytes)},
    {SB_COLLECT_BYTES, "--max-collect", offsetof(struct config, max_collect_bytes)},
};

void policies_bound(struct policies *policies, const struct config *config)
{
    for (size_t i = 0; i < policies->count; i++)
        for (size_t row = 0; row < ARRAY_LEN(bounded); row++) {
            const void *most = (const char *)config + bounded[row].most;
            lower_cap(policies, i, bounded[row].limit, *(const int64_t *)most);
        }
}

struct policies *policies_use(struct policies *policies)
{
    policies->users++;
    return policies;
}

void policies_release(struct policies *policies)
{
    if (policies == NULL || --policies->users > 0)
        return;
    for (size_t i = 0; i < policies->count; i++) {
        if (policies->sandbox != NULL && *policies->sandbox != NULL)
            sb_warm_forget(*policies->sandbox, policies->policy[i]);
        sb_policy_free(policies->policy[i]);
        free(policies->missing[i]);
    }
    free(policies->missing);
    free(policies->lowered);
    free(policies);
}

static size_t index_of(const struct policies *policies, const char *name)
{
    size_t i = 0;
    while (i < policies->count && strcmp(sb_policy_name(policies->policy[i]), name) != 0)
        i++;
    return i;
}

const struct sb_policy *policies_find(const struct policies *policies, const char *name)
{
    size_t i = index_of(policies, name);
    return i < policies->count ? policies->policy[i] : NULL;
}

void policies_blame(const struct policies *policies, const struct sb_policy *policy,
                    const struct sb_limits *asked, struct sb_error *err)
{
    size_t index = index_of(policies, sb_policy_name(policy));
    const char *dot = strrchr(err->field, '.'), *name = dot != NULL ? dot + 1 : err->field;
    for (size_t row = 0; row < ARRAY_LEN(bounded); row++) {
        enum sb_limit limit = bounded[row].limit;
        const struct sb_limit_info *info = sb_limit_info(limit);
        bool named = strcmp(name, limit == SB_WALL_TIME_MS ? "timeout" : info->name) == 0 ||
                     strcmp(name, info->name) == 0;
        int64_t cap = sb_policy_cap(policy, limit);
        if (!named || (policies->lowered[index] & UINT32_C(1) << limit) == 0 ||
            asked->value[limit] <= cap)
            continue;
        char value[QUANTITY_TEXT_SIZE], most[QUANTITY_TEXT_SIZE];
        snprintf(err->message, sizeof(err->message),
                 "%s can't be %s: this service allows up to %s (%s), whatever policy \"%s\" says",
                 name, quantity_text(value, info->unit, asked->value[limit]),
                 quantity_text(most, info->unit, cap), bounded[row].option, sb_policy_name(policy));
    }
}

/* sandbox-run's policy, for its own user: under it a client could ask for nearly all of the host.
 */
static const char own_policy[] = "default";

bool policies_withhold(const struct policies *policies, size_t index)
{
    return !policies->offer_default &&
           strcmp(sb_policy_name(policies->policy[index]), own_policy) == 0;
}

/* NULL when a policy is offered; else the reason, perhaps in `text`. */
static const char *reason_of(const struct policies *policies, size_t index, const char *only,
                             char text[static PRELOAD_REASON_SIZE])
{
    if (policies_withhold(policies, index) && (only == NULL || strcmp(only, own_policy) != 0))
        return "it is meant for sandbox-run, and its caps do not suit untrusted clients: name "
               "another policy; to offer it anyway, start the service with --offer-default, or "
               "bind a token to it";
    return preload_reason(policies, index, text);
}

const struct sb_policy *policies_offer(const struct policies *policies, const char *name,
                                       const char *only, struct sb_error *err)
{
    size_t i = index_of(policies, name);
    char text[PRELOAD_REASON_SIZE];
    if (i == policies->count) {
        sb_fail_field(err, "policy", "policy",
                      "there is no policy \"%.64s\": use one of those that GET /policies lists",
                      name);
        return NULL;
    }
    const char *reason = reason_of(policies, i, only, text);
    if (reason == NULL)
        return policies->policy[i];
    sb_fail_field(err, "policy", "policy", "policy \"%.64s\" is not offered here: %.400s", name,
                  reason);
    return NULL;
}

static void put_text(struct json_writer *writer, const char *key, const char *text)
{
    json_key(writer, key);
    json_string(writer, text, strlen(text));
}

static void put_preload(struct json_writer *writer, const struct sb_policy *policy)
{
    json_key(writer, "preload");
    json_bracket(writer, '[');
    for (const char *const *module = sb_policy_preload(policy); *module != NULL; module++) {
        json_item(writer);
        json_string(writer, *module, strlen(*module));
    }
    json_bracket(writer, ']');
}

char *policies_json(const struct policies *policies, const char *only)
{
    struct json_writer writer;
    json_begin(&writer, policies->count * 768 + 64);
    json_bracket(&writer, '{');
    json_key(&writer, "policies");
    json_bracket(&writer, '[');
    for (size_t i = 0; i < policies->count; i++) {
        const struct sb_policy *policy = policies->policy[i];
        const char *description = sb_policy_description(policy);
        char text[PRELOAD_REASON_SIZE];
        const char *reason = reason_of(policies, i, only, text);
        if (only != NULL && strcmp(sb_policy_name(policy), only) != 0)
            continue;
        json_item(&writer);
        json_bracket(&writer, '{');
        put_text(&writer, "name", sb_policy_name(policy));
        put_text(&writer, "description", description != NULL ? description : "");
        json_key(&writer, "available");
        json_verbatim(&writer, reason == NULL ? "true" : "false");
        json_key(&writer, "reason");
        if (reason != NULL)
            json_string(&writer, reason, strlen(reason));
        else
            json_null(&writer);
        json_key(&writer, "writable");
        json_boolean(&writer, sb_policy_writable(policy));
        put_preload(&writer, policy);
        limits_json(&writer, "limits", policy, sb_policy_limit);
        limits_json(&writer, "caps", policy, sb_policy_cap);
        json_bracket(&writer, '}');
    }
    json_bracket(&writer, ']');
    json_bracket(&writer, '}');
    return json_end(&writer);
}

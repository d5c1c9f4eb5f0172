/* Policies as a set. See policies.h. */
#include "policies.h"

#include <errno.h>
#include <string.h>

#include "contracts.h"
#include "error.h"
#include "json_writer.h"
#include "preload.h"
#include "util.h"

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
    if (policies == NULL || (policies->missing = calloc(count + 1, sizeof(char *))) == NULL) {
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
        policies_let_go(policies);
    return result;
}

void policies_bound(struct policies *policies, int64_t wall_time_ms, int64_t output_bytes)
{
    for (size_t i = 0; i < policies->count; i++) {
        sb_policy_lower_cap(policies->policy[i], SB_WALL_TIME_MS, wall_time_ms);
        sb_policy_lower_cap(policies->policy[i], SB_OUTPUT_BYTES, output_bytes);
        sb_policy_lower_cap(policies->policy[i], SB_RESULT_BYTES, output_bytes);
    }
}

struct policies *policies_use(struct policies *policies)
{
    policies->users++;
    return policies;
}

void policies_let_go(struct policies *policies)
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

/* sandbox-run's, for what its own user runs: a client could ask for nearly all of the host. */
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
        return "it is sandbox-run's own, whose caps fit no stranger: name another policy; to offer "
               "it all the same, start the service with --offer-default, or bind a token to it";
    return preload_reason(policies, index, text);
}

const struct sb_policy *policies_offer(const struct policies *policies, const char *name,
                                       const char *only, struct sb_error *err)
{
    size_t i = index_of(policies, name);
    char text[PRELOAD_REASON_SIZE];
    if (i == policies->count) {
        sb_fail_field(err, "policy", "policy",
                      "there is no policy \"%.64s\": use one of those that GET /policies shows",
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

static void put_limits(struct json_writer *writer, const char *key, const struct sb_policy *policy,
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

static void put_text(struct json_writer *writer, const char *key, const char *text)
{
    json_key(writer, key);
    json_string(writer, text, strlen(text));
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
        put_limits(&writer, "limits", policy, sb_policy_limit);
        put_limits(&writer, "caps", policy, sb_policy_cap);
        json_bracket(&writer, '}');
    }
    json_bracket(&writer, ']');
    json_bracket(&writer, '}');
    return json_end(&writer);
}

/* See list.h. */
#include "cli/list.h"

#include <stdio.h>
#include <string.h>

#include "cli/message.h"
#include "cli/status.h"
#include "common/json_writer.h"
#include "common/limits_json.h"
#include "common/util.h"

static void put_policy(struct json_writer *writer, const struct sb_policy *policy)
{
    const char *description = sb_policy_description(policy);
    json_item(writer);
    json_bracket(writer, '{');
    json_member(writer, "name", sb_policy_name(policy));
    json_member(writer, "description", description != NULL ? description : "");
    limits_json(writer, "limits", policy, sb_policy_limit);
    json_bracket(writer, '}');
}

static void print_policy(const struct sb_policy *policy, int width)
{
    const char *description = sb_policy_description(policy);
    printf("%-*s  %s\n", width, sb_policy_name(policy), description != NULL ? description : "");
}

/* Into `writer`, or to standard output when that is NULL. */
static int list(const struct options *options, char **names, struct json_writer *writer)
{
    int status = 0, width = 0;
    for (char **name = names; *name != NULL; name++)
        width = (int)strlen(*name) > width ? (int)strlen(*name) : width;
    for (char **name = names; *name != NULL; name++) {
        struct sb_policy *policy;
        struct sb_error err;
        if (sb_policy_load(&policy, options->policy_directory, *name, &err) < 0) {
            say("%s", err.message);
            status = STATUS_FAILED;
            continue;
        }
        if (writer != NULL)
            put_policy(writer, policy);
        else
            print_policy(policy, width);
        sb_policy_free(policy);
    }
    return status;
}

static int list_json(const struct options *options, char **names)
{
    struct json_writer writer;
    json_begin(&writer, 4096);
    json_bracket(&writer, '[');
    int status = list(options, names, &writer);
    json_bracket(&writer, ']');
    _cleanup_free_ char *json = json_end(&writer);
    if (json == NULL) {
        say("out of memory (policies)");
        return STATUS_FAILED;
    }
    puts(json);
    return status;
}

int list_policies(const struct options *options)
{
    struct sb_error err;
    char **names;
    if (sb_policy_list(&names, options->policy_directory, &err) < 0) {
        say("%s", err.message);
        return STATUS_FAILED;
    }
    int status = options->json ? list_json(options, names) : list(options, names, NULL);
    sb_strv_free(names);
    return status;
}

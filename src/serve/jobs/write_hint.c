/* See write_hint.h. */
#include "serve/jobs/write_hint.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "serve/jobs/policies.h"

/* By what Python says of EROFS. A script may say so, too: then it gets advice. Its text may have no
 * NUL at its end. */
static bool could_not_write(const struct service_job *job, const struct sb_verdict *verdict)
{
    static const char said[] = "OSError: [Errno 30] ";
    const char *text = verdict->text[SB_STDERR];
    size_t size = verdict->text_size[SB_STDERR];
    return verdict->word == SB_EXCEPTION && !sb_policy_writable(job->policy) &&
           strcmp(verdict->exception, "OSError") == 0 && size < INT_MAX &&
           memchr(text, '\0', size) == NULL && memmem(text, size, said, sizeof(said) - 1) != NULL;
}

static bool is_offered(const struct service_job *job, const char *name)
{
    struct sb_error ignored;
    const struct sb_policy *policy =
        policies_offer(job->policies, name, job->client.policy, &ignored);
    return policy != NULL && sb_policy_writable(policy);
}

/* Of the shipped policies, those for code of all kinds; if a service has none of them, its first
 * that will do. False: there is none for this client. */
static bool list_writable(char *list, size_t size, const struct service_job *job)
{
    const struct policies *policies = job->policies;
    bool data = is_offered(job, "data"), run_code = is_offered(job, "run_code");
    if (data || run_code) {
        snprintf(list, size, "%s%s%s", data ? "\"data\"" : "", data && run_code ? " or " : "",
                 run_code ? "\"run_code\"" : "");
        return true;
    }
    for (size_t i = 0; i < policies->count; i++) {
        const char *name = sb_policy_name(policies->policy[i]);
        if (!is_offered(job, name))
            continue;
        snprintf(list, size, "\"%.64s\"", name);
        return true;
    }
    return false;
}

char *write_hint(const struct service_job *job, const struct sb_verdict *verdict)
{
    char list[80], *text = NULL;
    if (job->owner == NULL || !could_not_write(job, verdict) ||
        !list_writable(list, sizeof(list), job))
        return NULL;
    if (asprintf(&text,
                 "%.*sThe policy \"%.64s\" lets code write no files: choose the policy %s.\n",
                 (int)verdict->text_size[SB_STDERR], verdict->text[SB_STDERR],
                 sb_policy_name(job->policy), list) < 0)
        return NULL;
    return text;
}

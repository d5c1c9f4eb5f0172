/* Any bytes as the body of a request to each endpoint: refused with a sentence, or a job that keeps
 * to its policy. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "serve/contracts/request.h"
#include "serve/jobs/policies.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_job(const struct sb_job *job)
{
    if (job->code == NULL || memchr(job->code, '\0', job->code_size) != NULL)
        abort();
    for (int i = 0; i < SB_LIMITS; i++) {
        enum sb_limit limit = (enum sb_limit)i;
        int64_t value = job->limits.value[i];
        if (value != SB_UNSET &&
            (value < sb_limit_info(limit)->min || value > sb_policy_cap(job->policy, limit)))
            abort();
    }
    for (size_t i = 0; i < job->files_count; i++)
        if (job->files[i].path[0] == '/' || strncmp(job->files[i].path, "../", 3) == 0 ||
            strstr(job->files[i].path, "/../") != NULL)
            abort();
    for (size_t i = 0; job->env != NULL && job->env[i] != NULL; i++)
        if (strchr(job->env[i], '=') == NULL || job->env[i][0] == '=')
            abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct policies *policies;
    struct sb_error err = {0};
    if (policies == NULL && policies_load(&policies, SB_POLICY_SOURCE, &err) < 0)
        abort();
    for (int endpoint = ENDPOINT_RUN; endpoint <= ENDPOINT_EXECUTE; endpoint++) {
        struct request request;
        int result =
            request_read(&request, (enum endpoint)endpoint, (const char *)data, size, &err);
        const char *name =
            request.policy != NULL ? request.policy : contracts[request.contract].policy;
        const struct sb_policy *policy = result == 0 ? policies_find(policies, name) : NULL;
        if (policy != NULL)
            result = request_check(&request, policy, &err);
        if (result < 0 && err.message[0] == '\0')
            abort(); /* refused without a word */
        if (result == 0 && policy != NULL)
            check_job(&request.job);
        char *refusal = contract_refusal(request.contract, err.field, err.message);
        if (refusal == NULL)
            abort();
        free(refusal);
        request_free(&request);
    }
    return 0;
}

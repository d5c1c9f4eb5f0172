/* Any bytes as the body of a request to each endpoint: refused with a sentence, or a job that keeps
 * to its policy. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "serve/contracts/request.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_job(const struct sb_job *job)
{
    if ((job->code == NULL) == (job->module == NULL) ||
        (job->code != NULL && memchr(job->code, '\0', job->code_size) != NULL))
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

/* One of the shipped policies, loaded once; NULL: there is none of that name. */
static const struct sb_policy *find_policy(const char *name)
{
    static struct sb_policy *policies[32];
    size_t i = 0;
    struct sb_error err;
    char **names;
    if (policies[0] == NULL) {
        if (sb_policy_list(&names, SB_POLICY_SOURCE, &err) < 0)
            abort();
        for (; names[i] != NULL && i < 31; i++)
            if (sb_policy_load(&policies[i], SB_POLICY_SOURCE, names[i], &err) < 0)
                abort();
        sb_strv_free(names);
    }
    for (i = 0; policies[i] != NULL; i++)
        if (strcmp(sb_policy_name(policies[i]), name) == 0)
            return policies[i];
    return NULL;
}

/* Whether a body is read where it is or copied makes no difference. */
static void check_in_place(const struct request *copied, int result, const uint8_t *data,
                           size_t size)
{
    struct request request;
    struct sb_error err = {0};
    char *body = malloc(size + 1);
    if (body == NULL)
        return;
    memcpy(body, data, size);
    if (request_read_in_place(&request, copied->endpoint, body, size, &err) != result)
        abort();
    const struct sb_job *one = &copied->job, *other = &request.job;
    if (result == 0 &&
        (one->code_size != other->code_size || one->stdin_size != other->stdin_size ||
         (one->code_size > 0 && memcmp(one->code, other->code, one->code_size) != 0) ||
         (one->stdin_size > 0 && memcmp(one->stdin_data, other->stdin_data, one->stdin_size) != 0)))
        abort();
    request_free(&request);
    free(body);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct sb_error err = {0};
    for (int endpoint = ENDPOINT_RUN; endpoint <= ENDPOINT_EXECUTE; endpoint++) {
        struct request request;
        int result =
            request_read(&request, (enum endpoint)endpoint, (const char *)data, size, &err);
        check_in_place(&request, result, data, size);
        const char *name =
            request.policy != NULL ? request.policy : contracts[request.contract].policy;
        const struct sb_policy *policy = result == 0 ? find_policy(name) : NULL;
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

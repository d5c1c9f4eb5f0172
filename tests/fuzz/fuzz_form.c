/* Any bytes as a form: refused with a sentence, or a job that keeps to its policy. The first line
 * is the Content-Type. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/util.h"
#include "serve/contracts/multipart.h"
#include "serve/contracts/request.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_job(const struct sb_job *job)
{
    if (job->code == NULL ? job->module == NULL : memchr(job->code, '\0', job->code_size) != NULL)
        abort();
    for (size_t i = 0; i < job->files_count; i++)
        if (job->files[i].path[0] == '/' || strncmp(job->files[i].path, "../", 3) == 0 ||
            strlen(job->files[i].path) > 1024)
            abort();
}

static void try_form(const struct sb_policy *policy, const char *boundary, const char *body,
                     size_t size)
{
    struct sb_error err = {0};
    struct request request;
    char *copy = malloc(size + 1);
    int result =
        request_read_form(&request, ENDPOINT_JOBS, boundary, memcpy(copy, body, size), size, &err);
    if (result == 0)
        result = request_check(&request, policy, &err);
    if (result < 0 && err.message[0] == '\0')
        abort(); /* refused without a word */
    if (result == 0)
        check_job(&request.job);
    request_free(&request);
    free(copy);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct sb_policy *policy;
    struct sb_error err = {0};
    if (policy == NULL && sb_policy_load(&policy, SB_POLICY_SOURCE, "run", &err) < 0)
        abort();
    try_form(policy, "b", (const char *)data, size);

    char boundary[MULTIPART_BOUNDARY_SIZE] = "";
    const uint8_t *end = memchr(data, '\n', size);
    if (end == NULL)
        return 0;
    _cleanup_free_ char *type = strndup((const char *)data, (size_t)(end - data));
    if (type != NULL && multipart_is_form(type) && multipart_boundary(boundary, type, &err) == 0)
        try_form(policy, boundary, (const char *)end + 1, size - (size_t)(end + 1 - data));
    return 0;
}

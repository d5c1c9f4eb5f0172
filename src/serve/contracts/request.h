/* Requests for jobs: from a hostile JSON body to a struct sb_job. Every error names the field at
 * fault and what is allowed. Knows no HTTP and no sandbox. */
#ifndef SERVE_REQUEST_H
#define SERVE_REQUEST_H

#include <json-c/json.h>
#include <stdbool.h>

#include "sandbox.h"
#include "serve/contracts/contracts.h"

struct request {
    enum contract_id contract; /* set even when reading fails: how to answer */
    struct sb_job job;         /* points into what follows */
    const char *policy;        /* by name, when the request says one; else NULL */
    bool timeout;              /* wall_time_ms was given in seconds, as "timeout" */
    bool base64;               /* the answer has the output byte for byte */
    struct json_object *body;
    struct sb_file *files;
    const char **args;
    char **env;
};

/* Where a body came from: what it may hold. */
enum endpoint { ENDPOINT_RUN, ENDPOINT_RUN_CODE, ENDPOINT_EXECUTE };

/* Reads a body. The caller frees the request with request_free, also when this fails. */
int request_read(struct request *request, enum endpoint endpoint, const char *body, size_t size,
                 struct sb_error *err);

/* Puts the request under a policy, and checks all that can be without running it. */
int request_check(struct request *request, const struct sb_policy *policy, struct sb_error *err);

void request_free(struct request *request);

/* "limits" of "limits.pids": a constant, when a request has such a field; else NULL. For logs, into
 * which nothing goes that a client has made up. */
const char *request_field_name(const char *path);

#endif

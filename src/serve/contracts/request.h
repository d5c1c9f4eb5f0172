/* Requests for jobs: turns an untrusted JSON body into a struct sb_job. Every error names the field
 * at fault and what is allowed. Knows neither HTTP nor the sandbox. */
#ifndef SERVE_REQUEST_H
#define SERVE_REQUEST_H

#include <json-c/json.h>
#include <stdbool.h>

#include "common/cases.h"
#include "sandbox.h"
#include "serve/contracts/contracts.h"

/* The endpoint that a body was sent to. */
enum endpoint { ENDPOINT_RUN, ENDPOINT_JOBS, ENDPOINT_RUN_CODE, ENDPOINT_EXECUTE };

/* The secret of a callback, in bytes: no shorter, as it is the key of a signature. */
enum { CALLBACK_SECRET_MIN = 16, CALLBACK_SECRET_MAX = 256 };

struct request {
    enum contract_id contract; /* set even when reading fails: how to answer */
    enum endpoint endpoint;
    bool from_form;     /* it was read from a form, not from JSON */
    struct sb_job job;  /* points into what follows */
    const char *policy; /* the policy's name; NULL: the request has none */
    bool timeout;       /* wall_time_ms was given in seconds, as "timeout" */
    bool base64;        /* the answer has stdout and stderr as base64 */
    const char *callback_url, *callback_secret; /* NULL: no callback. POST /jobs alone has them */
    struct json_object *body;
    char *form;            /* the body of a form, to whose parts the job points */
    struct sb_file *parts; /* the files that it has, for read_files */
    size_t parts_count;
    bool code_part; /* it has the code, too, in a part of its own */
    struct sb_file *files;
    const char **args;
    const char **collect;
    char **env;
    struct cases cases;   /* of a graded run; without any, the job itself is run */
    struct case_job made; /* the arrays of a job that request_case has made */
};

/* Reads a body. The caller frees the request with request_free, after a failure, too. */
int request_read(struct request *request, enum endpoint endpoint, const char *body, size_t size,
                 struct sb_error *err);

/* The same for a body that lives until request_free and may be changed: the job points into it, and
 * large texts are not copied. */
int request_read_in_place(struct request *request, enum endpoint endpoint, char *body, size_t size,
                          struct sb_error *err);

/* Reads a form (multipart/form-data), with the boundary of its Content-Type, for POST /run and POST
 * /jobs. A part "request" has the JSON, "code" and "stdin" have these; other parts with a file name
 * are files, and those without one are fields of the request: text, or JSON where the field is not
 * text. Frees as request_read does. The body is changed, and must live until request_free: the job
 * points into it. */
int request_read_form(struct request *request, enum endpoint endpoint, const char *boundary,
                      char *body, size_t size, struct sb_error *err);

/* Puts the request under a policy, and checks everything that can be checked before it runs. */
int request_check(struct request *request, const struct sb_policy *policy, struct sb_error *err);

/* Makes the request for one case of a graded run. It points into the other one, which must outlive
 * it, and is freed by itself. −1: out of memory. */
int request_case(struct request *made, const struct request *request, size_t index);

void request_free(struct request *request);

/* "limits" of "limits.pids", as a constant; NULL: no request has such a field. For logs, which must
 * not hold names that a client has made up. */
const char *request_field_name(const char *path);

#endif

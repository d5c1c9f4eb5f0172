/* The fields of a request, each with its reader. For request.c and the tests. */
#ifndef SERVE_REQUEST_FIELDS_H
#define SERVE_REQUEST_FIELDS_H

#include "common/job_fields.h"
#include "serve/contracts/request.h"

/* Of a field that POST /jobs has beside those of NATIVE. */
#define JOBS_ONLY (1u << CONTRACTS)

struct request_field {
    const char *name;
    unsigned contracts; /* those that have it: bits 1 << enum contract_id; or JOBS_ONLY */
    /* `path` is the field's name, for errors. */
    int (*read)(struct request *request, const char *path, struct json_object *value,
                struct sb_error *err);
};

/* Ends with an element without a name. */
extern const struct request_field request_fields[];

/* Whether the request may have the field. */
bool request_field_fits(const struct request *request, const struct request_field *field);

/* A field of the request's contract; NULL: there is none of this name. */
const struct request_field *request_field_find(const struct request *request, const char *name);

/* The two halves of request_read: to the JSON object in request->body, and from it to the job.
 * `in_place`: as request_read_in_place does. */
int request_parse(struct request *request, enum endpoint endpoint, const char *body, size_t size,
                  bool in_place, struct sb_error *err);
int request_take(struct request *request, struct sb_error *err);

/* The readers of "cases" and "stop" (request_cases.c). */
int request_read_cases(struct request *request, const char *path, struct json_object *value,
                       struct sb_error *err);
int request_read_stop(struct request *request, const char *path, struct json_object *value,
                      struct sb_error *err);
/* Whether each case can run, once the request itself can. */
int request_check_cases(const struct request *request, struct sb_error *err);

#endif

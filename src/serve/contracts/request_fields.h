/* The fields of a request, each with its reader. For request.c and the tests. */
#ifndef SERVE_REQUEST_FIELDS_H
#define SERVE_REQUEST_FIELDS_H

#include "serve/contracts/request.h"

struct request_field {
    const char *name;
    unsigned contracts; /* those that have it: bits 1 << enum contract_id */
    /* `path` is the field's name, for errors. */
    int (*read)(struct request *request, const char *path, struct json_object *value,
                struct sb_error *err);
};

/* Ends with an element without a name. */
extern const struct request_field request_fields[];

/* A field of the request's contract; NULL: there is none of this name. */
const struct request_field *request_field_find(const struct request *request, const char *name);

/* The two halves of request_read: to the JSON object in request->body, and from it to the job.
 * `in_place`: as request_read_in_place does. */
int request_parse(struct request *request, enum endpoint endpoint, const char *body, size_t size,
                  bool in_place, struct sb_error *err);
int request_take(struct request *request, struct sb_error *err);

/* Makes an error whose sentence begins with the field's path. Returns −1. */
int bad_field(struct sb_error *err, const char *path, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#endif

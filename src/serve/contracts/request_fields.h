/* The fields of a request, each with its reader. Inner to request.c. */
#ifndef SERVE_REQUEST_FIELDS_H
#define SERVE_REQUEST_FIELDS_H

#include "serve/contracts/request.h"

struct request_field {
    const char *name;
    unsigned contracts; /* a bit for each contract that has it: 1 << enum contract_id */
    /* `path` is the field's name, for errors. */
    int (*read)(struct request *request, const char *path, struct json_object *value,
                struct sb_error *err);
};

/* Ends with an element without a name. */
extern const struct request_field request_fields[];

/* An error of a field: the sentence begins with its name. */
int bad_field(struct sb_error *err, const char *path, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#endif

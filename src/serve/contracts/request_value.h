/* Values of a request that may be bytes: a string, or an object with them in base64. */
#ifndef SERVE_REQUEST_VALUE_H
#define SERVE_REQUEST_VALUE_H

#include <json-c/json.h>
#include <stdbool.h>
#include <stddef.h>

#include "sandbox.h"

struct request_value {
    const char *data; /* in json-c's object, or in its text */
    size_t size;
    bool text; /* it came as text, not in base64 */
};

/* Reads a string, {"base64": …} or {"text": …}, and ignores "size" and "type" beside these, which
 * files of answers have. The object's memory is changed: read it once. `path` is the field's name,
 * for errors. */
int request_value_read(struct request_value *value, const char *path, struct json_object *object,
                       struct sb_error *err);

#endif

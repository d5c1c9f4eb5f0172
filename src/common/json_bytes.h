/* Values of a request that may be bytes: a string, or an object with them in base64. */
#ifndef SB_JSON_BYTES_H
#define SB_JSON_BYTES_H

#include <json-c/json.h>
#include <stdbool.h>
#include <stddef.h>

#include "sandbox.h"

struct json_bytes {
    const char *data; /* in json-c's object, or in its text */
    size_t size;
    bool text; /* it came as text, not in base64 */
};

/* Reads a string, {"base64": …} or {"text": …}, and ignores "size" and "type" beside these, which
 * files of answers have. The object's memory is changed: read it once. `path` is the field's name,
 * for errors. */
int json_bytes_read(struct json_bytes *value, const char *path, struct json_object *object,
                    struct sb_error *err);

#endif

/* The OpenAPI 3.1 document (https://spec.openapis.org/oas/v3.1.0): openapi.json, a template that is
 * embedded when the program is built. A test compares it with the routes and the contracts. */
#ifndef SERVE_OPENAPI_H
#define SERVE_OPENAPI_H

#include "common/json_writer.h"

/* The document as JSON text. The caller frees it; NULL when memory is short. */
char *openapi_json(void);

/* Text of the template up to a placeholder, and the function that writes a value in its place. */
struct openapi_part {
    const char *text;
    void (*fill)(struct json_writer *writer); /* NULL: the template ends here */
};

/* Written by the build (openapi_parts.py). Ends with an element without a text. */
extern const struct openapi_part openapi_parts[];

/* "{{version}}": the program's. */
void openapi_version(struct json_writer *writer);

/* "{{limits}}": the properties of an object of limits, from sb_limit_info(). */
void openapi_limits(struct json_writer *writer);

#endif

/* The body of an answer that is an error. */
#ifndef SERVE_ERROR_JSON_H
#define SERVE_ERROR_JSON_H

#include <stddef.h>

/* {"status":"error","error":…,"field":…}; NULL: no memory. */
char *error_json(const char *field, const char *message, size_t *size);

#endif

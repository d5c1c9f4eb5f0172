/* The pieces that the OpenAPI document is put together from. */
#ifndef SERVE_OPENAPI_SCHEMA_H
#define SERVE_OPENAPI_SCHEMA_H

#include "common/json_writer.h"

/* A member whose value is a string. */
void openapi_text(struct json_writer *writer, const char *key, const char *value);

/* "$ref": what stands under components/kind/name. */
void openapi_reference(struct json_writer *writer, const char *kind, const char *name);

/* The words of `list`, which has `separator` between them, as an array of strings. */
void openapi_words(struct json_writer *writer, const char *list, char separator);

/* "schemas": all shapes, and the limits. */
void openapi_schemas(struct json_writer *writer);

#endif

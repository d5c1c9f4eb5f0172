/* Single values of a JSON text that is scanned: a parser of the whole would take many times the
 * memory of hostile text. */
#ifndef CLI_JSON_VALUE_H
#define CLI_JSON_VALUE_H

#include <json-c/json.h>

/* An object of json-c for a value; NULL for null, or when memory is short. The caller puts it back.
 * A number ends with the byte behind it, which `size` must include. */
struct json_object *json_value_parse(const char *value, size_t size);

#endif
